//go:build feidi

package runtime

// System call numbers on x86-64 that the gate knows by name.
const (
	enclSysRead             = 0
	enclSysWrite            = 1
	enclSysOpen             = 2
	enclSysClose            = 3
	enclSysPoll             = 7
	enclSysLseek            = 8
	enclSysMmap             = 9
	enclSysMprotect         = 10
	enclSysMunmap           = 11
	enclSysBrk              = 12
	enclSysRtSigaction      = 13
	enclSysRtSigprocmask    = 14
	enclSysRtSigreturn      = 15
	enclSysIoctl            = 16
	enclSysPread64          = 17
	enclSysPwrite64         = 18
	enclSysReadv            = 19
	enclSysWritev           = 20
	enclSysPipe             = 22
	enclSysSchedYield       = 24
	enclSysMadvise          = 28
	enclSysDup2             = 33
	enclSysGetpid           = 39
	enclSysSendfile         = 40
	enclSysSocket           = 41
	enclSysAccept           = 43
	enclSysRecvfrom         = 45
	enclSysSendmsg          = 46
	enclSysRecvmsg          = 47
	enclSysClone            = 56
	enclSysFork             = 57
	enclSysVfork            = 58
	enclSysExecve           = 59
	enclSysExit             = 60
	enclSysWait4            = 61
	enclSysKill             = 62
	enclSysFcntl            = 72
	enclSysGetrlimit        = 97
	enclSysGetuid           = 102
	enclSysGetgid           = 104
	enclSysGeteuid          = 107
	enclSysGetegid          = 108
	enclSysGetppid          = 110
	enclSysGetpgrp          = 111
	enclSysGetgroups        = 115
	enclSysGetsid           = 124
	enclSysSigaltstack      = 131
	enclSysPrctl            = 157
	enclSysArchPrctl        = 158
	enclSysSetrlimit        = 160
	enclSysSync             = 162
	enclSysGettid           = 186
	enclSysGetxattr         = 191
	enclSysFlistxattr       = 196
	enclSysTkill            = 200
	enclSysFutex            = 202
	enclSysSchedGetaffinity = 204
	enclSysEpollCreate      = 213
	enclSysSetTidAddress    = 218
	enclSysClockGettime     = 228
	enclSysExitGroup        = 231
	enclSysEpollWait        = 232
	enclSysEpollCtl         = 233
	enclSysTgkill           = 234
	enclSysWaitid           = 247
	enclSysOpenat           = 257
	enclSysPpoll            = 271
	enclSysSetRobustList    = 273
	enclSysSplice           = 275
	enclSysTee              = 276
	enclSysVmsplice         = 278
	enclSysEpollPwait       = 281
	enclSysAccept4          = 288
	enclSysEpollCreate1     = 291
	enclSysDup3             = 292
	enclSysPipe2            = 293
	enclSysPreadv           = 295
	enclSysPwritev          = 296
	enclSysPrlimit64        = 302
	enclSysGetrandom        = 318
	enclSysExecveat         = 322
	enclSysCopyFileRange    = 326
	enclSysClone3           = 435
)

// enclExitThread is the number by which exitThread ends a thread.
const enclExitThread = 1<<16 + 1<<12
