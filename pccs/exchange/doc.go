// Package exchange reads and writes what a PCCS and its administrators give
// each other: the files of Intel's tool pccsadmin and of PCKIDRetrievalTool,
// the bodies of requests to Intel's PCCS, the files of Intel's client QCNL, and
// the database of Intel's PCCS.
//
//	platform_list.json          ParsePlatforms    AppendPlatforms
//	platform_collaterals.json   ParseCollateral   WriteCollateral
//	body of POST /platforms     ParseRegistration
//	body of PUT /appraisalpolicy ParsePolicy      AppendPolicy
//	pckid_retrieval.csv         ParseCSV
//	cache file of the QCNL      ParseLocalCache   LocalCache.Append
//	pckcache.db                 ImportIntel
//
// All of it is somebody else's: readers are bounded, and say where something is
// wrong. Nothing is verified here but by ImportIntel: whether a document is
// genuine is for package collateral to say.
//
// Sources: Intel's PCCS 1.27 and its schemas, pccsadmin of DCAP 1.23 and 1.27,
// PCKIDRetrievalTool, and QCNL of DCAP 1.23.
package exchange
