package gogen

import "fmt"

// knownTypes are types of C headers that have types of Go already.
var knownTypes = map[string]struct {
	Type
	size uint64
}{
	"sgx_status_t":             {Type{importStatus, "Code", Integer}, 4},
	"sgx_misc_select_t":        {Type{importISA, "MiscSelect", Integer}, 4},
	"sgx_attributes_t":         {Type{importISA, "Attributes", Binary}, 16},
	"sgx_report_t":             {Type{importISA, "Report", Binary}, 432},
	"sgx_target_info_t":        {Type{importISA, "TargetInfo", Binary}, 512},
	"sgx_key_request_t":        {Type{importISA, "KeyRequest", Binary}, 512},
	"sgx_report2_mac_struct_t": {Type{importISA, "Report2MACStruct", Binary}, 256},
}

// signedTypes are integers of C headers: whether they are signed. On x86-64 their
// size is that of the plan.
var signedTypes = map[string]bool{
	"blkcnt_t": true, "blksize_t": true, "clock_t": true, "clockid_t": true,
	"int_fast8_t": true, "int_fast16_t": true, "int_fast32_t": true, "int_fast64_t": true,
	"int_least8_t": true, "int_least16_t": true, "int_least32_t": true, "int_least64_t": true,
	"intmax_t": true, "intptr_t": true, "key_t": true, "loff_t": true, "off_t": true, "off64_t": true,
	"pid_t": true, "ptrdiff_t": true, "quad_t": true, "sig_atomic_t": true, "ssize_t": true,
	"suseconds_t": true, "time_t": true,

	"caddr_t": false, "dev_t": false, "fsblkcnt_t": false, "fsfilcnt_t": false, "gid_t": false, "id_t": false,
	"in_addr_t": false, "in_port_t": false, "ino_t": false, "mode_t": false, "nfds_t": false, "nlink_t": false,
	"pthread_t": false, "rlim_t": false, "sa_family_t": false, "socklen_t": false, "speed_t": false,
	"tcflag_t": false, "cc_t": false, "u_char": false, "u_short": false, "u_int": false, "u_long": false,
	"u_int8_t": false, "u_int16_t": false, "u_int32_t": false, "u_int64_t": false, "uid_t": false,
	"uint_fast8_t": false, "uint_fast16_t": false, "uint_fast32_t": false, "uint_fast64_t": false,
	"uint_least8_t": false, "uint_least16_t": false, "uint_least32_t": false, "uint_least64_t": false,
	"uintmax_t": false, "uintptr_t": false, "useconds_t": false, "wint_t": false,
	"sgx_enclave_id_t": false, "sgx_isv_svn_t": false, "sgx_prod_id_t": false, "sgx_config_svn_t": false,
}

// intName is the name of the integer of size bytes, "" if there is none.
func intName(size uint64, signed bool) string {
	switch size {
	case 1, 2, 4, 8:
		if signed {
			return fmt.Sprintf("int%d", 8*size)
		}
		return fmt.Sprintf("uint%d", 8*size)
	}
	return ""
}
