// Package sealedfs is a directory on an untrusted host in which a program
// keeps files that the host can neither read nor change unnoticed. It is made
// for programs inside enclaves, whose sealing is the Sealer; it runs anywhere.
//
//	dir, err := sealedfs.Open("state", sealer, nil)
//	err = dir.WriteFile("config.json", data)
//	data, err = dir.ReadFile("config.json")
//
// FS implements fs.FS and its relatives, and the writing half of package os:
// WriteFile, Create, Mkdir, Rename, Remove. A file changes as a whole: Create
// and WriteFile build the new content aside and put it in place at the end.
//
// # What holds
//
//   - The host learns neither contents nor names. It learns how many files
//     there are, their sizes, how large the index is in steps of 4 KiB, and
//     when what is read and written.
//   - What is read is what was written under that name, or the read fails with
//     ErrTampered. Parts of different files, or of different versions of a file
//     or of the index, cannot be combined, whenever they were made.
//   - While a directory is open, an older state of it or of a file that the
//     host puts in place is noticed by the next call: ErrRolledBack for the
//     index, ErrTampered for a file.
//   - Every change is made or not made, as a whole, whenever the program or the
//     machine stops. After a change returns without an error it survives both
//     (but see Options.NoSync).
//
// # What does not hold
//
//   - When a program opens a directory it cannot tell whether the host gave it
//     the newest state or all of an older one, up to the empty directory.
//     Nothing stored on the host can tell. Who has a counter that the host
//     cannot turn back (a replicated service, another enclave) keeps
//     FS.Generation there and passes it as Options.MinGeneration.
//   - The host can delete everything, and refuse service.
//   - The lock that keeps two processes apart is for honest hosts. Two
//     processes on one directory notice each other as ErrRolledBack.
//   - Time stamps are what the host's clock said.
//
// # On the host
//
//	header       what the Sealer made of a random 32-byte master key
//	index        names, sizes and identifiers of all files, encrypted
//	<id>.data    one version of one file, encrypted; never changed
//	lock         empty
//	*.tmp        a header or an index that is being written
//
// Every <id>.data and every version of the index has a key of its own, derived
// from the master key by HKDF-SHA256 and an identifier that is drawn anew for
// each. An identifier therefore names exactly one content, and to authenticate
// the index is to authenticate the version of every file. The cipher is
// AES-256-GCM; files are chunks of 64 KiB whose nonces say their position and
// which is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway
// and Vizár). The comments at encode, chunkNonce, indexMagic and headerMagic have
// the layouts.
//
// Each change writes the index anew: the package suits thousands of files, not
// millions.
//
// # Locks
//
// FS.change is taken before FS.mu. A File has a lock of its own, which is never
// held together with those two.
package sealedfs
