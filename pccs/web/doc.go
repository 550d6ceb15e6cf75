// Package web is the status page of a PCCS: what is cached and until when, what
// is out of date and why, what could not be fetched. It only reads; to change
// something there are the administrator's routes and `feidi pccs`.
//
// Pages are made by the server, from templates that escape whatever came from
// elsewhere (QE IDs are anybody's text), and need nothing of another host. A
// small script sorts tables and keeps the page current; without it the page
// says the same.
package web
