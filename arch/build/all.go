package build

// All are the system enclaves.
var All = []Enclave{PCE, QE, IDE, QVE, LE, PVE, EPIDQE}
