package pccs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/feidi-dev/feidi/testsuite/pccs/fleet"
)

// registration is a body of POST platforms.
func registration(qeid string, t fleet.RawTCB, ppid string) string {
	return fmt.Sprintf(`{"qe_id":"%s","pce_id":"0000","cpu_svn":"%s","pce_svn":"%s","enc_ppid":"%s"}`, qeid, t.CPUSVN, t.PCESVN, ppid)
}

// queued is what GET platforms says of a registration. Intel's service writes
// what is binary in lower case here, and in upper case below cached; nobody minds.
func queued(qeid string, t fleet.RawTCB, ppid, manifest string) string {
	return fmt.Sprintf(`{"enc_ppid":"%s","platform_manifest":"%s","qe_id":"%s","pce_id":"0000","cpu_svn":"%s","pce_svn":"%s"}`,
		strings.ToLower(ppid), strings.ToLower(manifest), qeid, t.CPUSVN, t.PCESVN)
}

// cached is what GET platforms?source=[...] says of a machine and some raw TCBs.
func cached(m *fleet.Machine, seen ...fleet.RawTCB) (list []string) {
	qeid, pceid := m.ID()
	for _, t := range seen {
		list = append(list, fmt.Sprintf(`{"qe_id":"%s","pce_id":"%s","cpu_svn":"%s","pce_svn":"%s","enc_ppid":"%s","platform_manifest":""}`,
			qeid, pceid, t.CPUSVN, t.PCESVN, m.PPID()))
	}
	return list
}

// registrations are what platforms say, and what an administrator reads of it.
func (p *peer) registrations(f *fleet.Fleet) []row {
	admin, user := "admin-token: "+p.admin, "user-token: "+p.user
	post := func(body string, header ...string) request {
		return send("POST", "v4/platforms", body, append(header, user)...)
	}
	m := f.Multi
	qeid, _ := m.ID()
	top, ppid := m.Seen[0], m.PPID()
	never := fleet.RawTCB{CPUSVN: strings.Repeat("FF", 16), PCESVN: "FFFF"}
	listed := func(machines ...[]string) answer { return list(slices.Concat(machines...)...) }
	rows := []row{
		{name: "known", send: post(registration(qeid, top, ppid)), want: done()},
		{name: "known, lower case", send: post(strings.ToLower(registration(qeid, top, ppid))), want: done()},
		{name: "known, other PPID", send: post(registration(qeid, top, strings.Repeat("1", 768))), want: done()},
		{name: "nothing is queued of them", send: get("v4/platforms", admin), want: list()},

		{name: "unknown", send: post(registration("0123456789abcdef", top, ppid)), want: done()},
		{name: "once more", send: post(registration("0123456789abcdef", top, ppid)), want: done()},
		{name: "v3", send: send("POST", "v3/platforms", registration("A3", top, ppid), user), want: done().v3()},
		{name: "manifest", send: post(`{"qe_id":"AB","pce_id":"0000","platform_manifest":"0aBc"}`), want: done()},
		{name: "manifest and more", send: post(`{"qe_id":"AC","pce_id":"0000","cpu_svn":"` + top.CPUSVN + `","pce_svn":"0F00","platform_manifest":"0aBc"}`), want: done()},
		{name: "update", send: send("POST", "v4/platforms?update=ALL", registration("A4", top, ppid), user), want: done()},
		{name: "a member of another version", send: post(strings.Replace(registration("A5", top, ppid), "{", `{"more":1,`, 1)), want: done()},
		{name: "charset", send: request{"POST", path("v4/platforms"), []string{user, "Content-Type: application/json; charset=utf-8"}, []byte(registration("A6", top, ppid))}, want: done()},
		{name: "HEAD", send: head("v4/platforms?source=[000000000000]", admin), want: list()},
		{name: "queue", send: get("v4/platforms?source=reg", admin), want: list(
			queued("0123456789ABCDEF", top, ppid, ""), queued("A3", top, ppid, ""), queued("AB", fleet.RawTCB{}, "", "0aBc"), queued("AC", fleet.RawTCB{}, "", "0aBc"),
			queued("A4", top, ppid, ""), queued("A5", top, ppid, ""), queued("A6", top, ppid, ""))},
		{name: "is drained", send: get("v4/platforms?source=reg", admin), want: list()},
		{name: "not available", send: get("v4/platforms?source=reg_na", admin), want: list()},
		{name: "no source", send: get("v3/platforms?source=", admin), want: list().v3()},

		{name: "for HEAD", send: post(registration("A7", top, ppid)), want: done()},
		{name: "HEAD of the queue", send: head("v4/platforms", admin), want: list(queued("A7", top, ppid, ""))},
		{name: "after HEAD", send: get("v4/platforms", admin), want: list(),
			ours: ptr(list(queued("A7", top, ppid, ""))), why: "HEAD has no effect; at Intel's it drains the queue, and the registrations are lost"},

		{name: "cached", send: get("v4/platforms?source=["+m.FMSPC()+"]", admin), want: listed(cached(m, m.Seen...))},
		{name: "cached, lower case", send: get("v4/platforms?source=["+strings.ToLower(m.FMSPC())+"]", admin), want: listed(cached(m, m.Seen...))},
		{name: "cached, two", send: get("v4/platforms?source=["+m.FMSPC()+","+f.Single.FMSPC()+"]", admin), want: listed(cached(m, m.Seen...), cached(f.Single, f.Single.Seen...))},
		{name: "cached, unknown", send: get("v4/platforms?source=[000000000000]", admin), want: list()},
		{name: "cached, with a space", send: get("v4/platforms?source=["+m.FMSPC()+",%20"+f.Single.FMSPC()+"]", admin), want: badRequest,
			ours: ptr(listed(cached(m, m.Seen...), cached(f.Single, f.Single.Seen...))), why: "Intel's own admin tool asks its users to write it so"},
		{name: "token twice", send: get("v4/platforms?source=[000000000000]", admin, admin), want: unauthorized,
			ours: ptr(list()), why: "Node makes one text of the two"},
		{name: "an unseen TCB is asked for", send: get("v4/pckcert?" + m.Query(never)), want: answer{status: 200, body: string(m.Certs[0].PEM)}},
		{name: "cached after it", send: get("v4/platforms?source=["+m.FMSPC()+"]", admin), want: listed(cached(m, append(slices.Clone(m.Seen), never)...)),
			ours: ptr(listed(cached(m, m.Seen...))), why: "whoever may read need not be able to write"},
		{name: "it registers", send: post(registration(qeid, never, ppid)), want: done()},
		{name: "cached after that", send: get("v4/platforms?source=["+m.FMSPC()+"]", admin), want: listed(cached(m, append(slices.Clone(m.Seen), never)...)),
			ours: ptr(listed(cached(m, m.Seen...))), why: "the same; in OFFLINE mode it is the administrator who brings certificates"},
		{name: "queue after that", send: get("v4/platforms", admin), want: list(),
			ours: ptr(list(queued(qeid, never, ppid, ""))), why: "the same: so it is at Intel's, too, if nobody has asked before"},

		{name: "manifest is no digits", send: post(`{"qe_id":"AD","pce_id":"0000","platform_manifest":"xyz"}`), want: done(),
			ours: &badRequest, why: "Intel's service says it was successful, and keeps an empty manifest"},
		{name: "queue has that", send: get("v4/platforms", admin), want: list(queued("AD", fleet.RawTCB{}, "", "")), ours: ptr(list()), why: "above"},
	}
	for name, r := range map[string]request{
		"no token": send("POST", "v4/platforms", registration("A8", top, ppid)), "the other token": send("POST", "v4/platforms", registration("A8", top, ppid), "user-token: "+p.admin),
		"no token, list": get("v4/platforms?source=[]"), "the other token, list": get("v4/platforms", "admin-token: "+p.user), "empty token": get("v4/platforms", "admin-token: "),
		"no token, HEAD": head("v4/platforms"), "no token, v3": send("POST", "v3/platforms", "{}"),
	} {
		want := unauthorized
		if strings.Contains(name, "v3") {
			want = want.v3()
		}
		rows = append(rows, row{name: name, send: r, want: want})
	}
	for name, r := range map[string]request{
		"not JSON": post("xx"), "empty": post("{}"), "array": post("[]"), "cut": post(`{"qe_id":"AB"`), "no body": post(""),
		"incomplete": post(`{"qe_id":"AB","pce_id":"0000"}`), "null manifest": post(`{"qe_id":"AB","pce_id":"0000","platform_manifest":null}`),
		"no QEID": post(strings.Replace(registration("", top, ppid), `"qe_id":"",`, "", 1)), "empty QEID": post(registration("", top, ppid)),
		"long QEID": post(registration(strings.Repeat("A", 261), top, ppid)), "short PPID": post(registration("AB", top, "00")),
		"CPUSVN": post(registration("AB", fleet.RawTCB{CPUSVN: "00", PCESVN: "0000"}, ppid)), "number": post(strings.Replace(registration("AB", top, ppid), `"AB"`, "12", 1)),
		"update":   send("POST", "v4/platforms?update=bad", registration("AB", top, ppid), user),
		"a form":   {"POST", path("v4/platforms"), []string{user, "Content-Type: application/x-www-form-urlencoded"}, []byte(registration("AB", top, ppid))},
		"no type":  {"POST", path("v4/platforms"), []string{user}, []byte(registration("AB", top, ppid))},
		"source x": get("v4/platforms?source=x", admin), "source [": get("v4/platforms?source=[", admin), "short FMSPC": get("v4/platforms?source=[12]", admin),
	} {
		rows = append(rows, row{name: "malformed " + name, send: r, want: badRequest})
	}
	return append(rows, row{name: "nothing of these is queued", send: get("v4/platforms", admin), want: list()})
}

// refreshes cannot be in OFFLINE mode.
func (p *peer) refreshes(f *fleet.Fleet) []row {
	admin := "admin-token: " + p.admin
	post := func(target string, header ...string) request {
		return request{method: "POST", target: path(target), header: header}
	}
	return []row{
		{name: "all", send: post("v4/refresh", admin), want: unavailable},
		{name: "GET", send: get("v4/refresh", admin), want: unavailable},
		{name: "v3", send: post("v3/refresh", admin), want: unavailable.v3()},
		{name: "certificates", send: post("v4/refresh?type=certs&fmspc="+f.Multi.FMSPC(), admin), want: unavailable},
		{name: "certificates of all", send: post("v4/refresh?type=certs", admin), want: badRequest,
			ours: &unavailable, why: "the same as for all FMSPCs"},
		{name: "certificates of no FMSPC", send: post("v4/refresh?type=certs&fmspc=", admin), want: badRequest,
			ours: &unavailable, why: "Intel's own admin tool sends it so for all FMSPCs"},
		{name: "certificates of a list", send: post("v4/refresh?type=certs&fmspc=["+f.Multi.FMSPC()+"]", admin), want: badRequest,
			ours: &unavailable, why: "Intel's own admin tool sends a list in brackets"},
		{name: "unknown type", send: post("v4/refresh?type=x", admin), want: badRequest},
		{name: "malformed FMSPC", send: post("v4/refresh?type=certs&fmspc=12", admin), want: badRequest},
		{name: "no token", send: post("v4/refresh"), want: unauthorized},
		{name: "GET without token", send: get("v4/refresh"), want: unauthorized},
		{name: "the other token", send: post("v4/refresh", "admin-token: "+p.user), want: unauthorized},
		{name: "PUT", send: request{method: "PUT", target: path("v4/refresh"), header: []string{admin}}, want: noRoute("PUT", path("v4/refresh"))},
	}
}

func ptr(a answer) *answer { return &a }
