package world

import (
	"errors"
	"fmt"
)

// Errors of worlds.
var (
	// ErrExists: Create makes no world where there is one.
	ErrExists = errors.New("there is a world already")
	// ErrNone: there is none, or the one that was opened has been removed.
	ErrNone = errors.New("there is no world: run `feidi world init`")
	// ErrDamaged: a file is not as the world wrote it. It names the file.
	ErrDamaged = errors.New("is damaged")
	// ErrBusy: another process changes the world for too long.
	ErrBusy = errors.New("another process is changing the world, and does not end")
	// ErrOptions: a world or machine cannot be made like that.
	ErrOptions = errors.New("not possible")
)

// Errors of what a world is asked.
var (
	// ErrPPID: the bytes are no PPID that was encrypted to the world's key.
	ErrPPID = errors.New("not a PPID that was encrypted for this world")
	// ErrUnknownPlatform: no platform has this PPID and PCE ID.
	ErrUnknownPlatform = errors.New("no such platform in this world")
	// ErrNoCertificate: the TCB is below all levels that are certified.
	ErrNoCertificate = errors.New("no PCK certificate for so low a TCB")
	// ErrUnknownCA: there are the Processor CA and the Platform CA.
	ErrUnknownCA = errors.New("no such certificate authority")
	// ErrUnknownFMSPC: no machine has this FMSPC.
	ErrUnknownFMSPC = errors.New("no machine of this world has this FMSPC")
	// ErrUnknownIdentity: there are those of QE, QVE and TD_QE.
	ErrUnknownIdentity = errors.New("no such enclave identity")
	// ErrNotPublished: the TCB evaluation data number is above the newest.
	ErrNotPublished = errors.New("no such TCB evaluation data number yet")
	// ErrWithdrawn: it is below the oldest.
	ErrWithdrawn = errors.New("this TCB evaluation data number is served no longer")
)

// Errors of machines.
var (
	// ErrName: no machine or world can have such a name.
	ErrName = errors.New("a name has letters, digits, dots, dashes and underscores")
	// ErrMachineExists: NewMachine replaces none.
	ErrMachineExists = errors.New("there is a machine of this name already")
	// ErrNoMachine: there is none of this name.
	ErrNoMachine = errors.New("no such machine")
	// ErrOtherWorld: the machine is of a world that is not this one.
	ErrOtherWorld = errors.New("the machine is of another world")
	// ErrNotAdopted: the factory does not know the machine.
	ErrNotAdopted = errors.New("the factory does not know this machine: adopt it")
	// ErrLowerSVN: a CPUSVN only ever goes up, in each of its components.
	ErrLowerSVN = errors.New("security version numbers do not go down")
)

// Errors of the registration of platforms of several packages.
var (
	// ErrManifest: the bytes are no manifest or request, or nobody can have
	// made them who has the packages' secrets.
	ErrManifest = errors.New("not a request that a platform makes")
	// ErrUnknownPackage: the factory did not make a package.
	ErrUnknownPackage = errors.New("a package is of another factory")
	// ErrPackageElsewhere: a package belongs to another platform.
	ErrPackageElsewhere = errors.New("a package belongs to another platform")
	// ErrIncompatible: packages of different families make no platform.
	ErrIncompatible = errors.New("the packages are not of one family")
	// ErrReplay: the platform instance is registered, with other content.
	ErrReplay = errors.New("the platform instance is registered with other content")
	// ErrNotRegistered: a package can be added to a registered platform only.
	ErrNotRegistered = errors.New("the platform is not registered")
	// ErrTooManyPackages: a platform has at most MaxPackages.
	ErrTooManyPackages = errors.New("too many packages")
)

// damaged is the error of a file, and what is wrong with it.
func damaged(path, format string, args ...any) error {
	return fmt.Errorf("%s %w: %s", path, ErrDamaged, fmt.Sprintf(format, args...))
}
