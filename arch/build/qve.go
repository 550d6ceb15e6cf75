package build

// QVE is the quote verification enclave. Product and SVN are those of Intel's. It
// needs no key, and so may not have any that tells platforms apart.
var QVE = Enclave{Name: "qve", Package: programs + "qve/enclave", ProdID: 2, SVN: 12, Threads: 16}
