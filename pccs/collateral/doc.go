// Package collateral has the documents that a PCCS caches: which there are
// (Item), whether one is genuine (Checker), and how they are had from Intel's
// service (Client). Nothing that is not verified gets out of it.
package collateral
