// Package server is the HTTP of package pccs. It answers as Intel's caching
// service does, with the same routes, bodies, headers and status codes, so that
// clients of that need no change; beside these it serves what Intel's own
// service has and its cache has not (pckcerts, fmspcs, tcbevaluationdatanumbers,
// and documents by TCB evaluation data number), /healthz, /metrics, a
// description of all in /openapi.json, and the status page.
//
// Answers that may be given to anybody are kept rendered for a moment
// (Options.CacheTime), so that a database is asked for each once in that time.
//
// Lock order: none is held while another is taken.
package server
