package cgen

import (
	"github.com/feidi-dev/feidi/edl"
	"github.com/feidi-dev/feidi/edl/plan"
)

// deepUse says which helpers a struct with buffers needs.
type deepUse struct{ in, out, put, back bool }

// deepHelpers writes, for each struct whose buffers are copied with it, the
// functions that do it.
func (w *writer) deepHelpers() {
	uses := map[*plan.Composite]*deepUse{}
	for n, calls := range [][]*plan.Call{w.plan.ECalls, w.plan.OCalls} {
		for _, c := range calls {
			for _, p := range c.Params {
				if p.Buffer == nil || !p.Buffer.Deep {
					continue
				}
				s := p.Buffer.Elem.Composite
				if uses[s] == nil {
					uses[s] = &deepUse{}
				}
				both := p.Direction == edl.InOut
				if n == 0 {
					uses[s].in, uses[s].out = true, uses[s].out || both
				} else {
					uses[s].put, uses[s].back = true, uses[s].back || both
				}
			}
		}
	}
	for _, s := range w.plan.Types {
		u := uses[s]
		if u == nil {
			continue
		}
		for _, h := range []struct {
			used  bool
			write func(*plan.Composite)
		}{{u.in, w.deepIn}, {u.out, w.deepOut}, {u.put, w.deepRoom}, {u.put, w.deepPut}, {u.back, w.deepBack}} {
			if h.used {
				h.write(s)
			}
		}
	}
}

// deepMembers are the members that are buffers.
func deepMembers(c *plan.Composite) []*plan.Member {
	var out []*plan.Member
	for _, m := range c.Members {
		if m.Buffer != nil {
			out = append(out, m)
		}
	}
	return out
}

// of reads a member of a struct.
func of(s string) func(string) string {
	return func(name string) string { return s + "." + name }
}

func (w *writer) deepIn(c *plan.Composite) {
	members := deepMembers(c)
	w.f(`/* The structs at s are copies of the host's: copies their buffers into one block
 * and makes the structs point to that. With keep the block begins with where the
 * buffers are outside. */
static sgx_status_t edge_%s_in(struct %s *s, size_t n, void **block, int keep)
{
	struct edge_buffer *kept;
	size_t total = 0, len, i;
	char *next;

	if (s == NULL)
		return SGX_SUCCESS;
	if (keep && !edge_product(%d * sizeof(*kept), n, &total))
		return SGX_ERROR_INVALID_PARAMETER;
	for (i = 0; i < n; i++) {
`, c.Name, c.Name, len(members))
	for _, m := range members {
		w.length("\t\t", "len", m.Buffer, m.Name, invalid, of("s[i]"))
		w.f("\t\tif (s[i].%s != NULL && len != 0) {\n", m.Name)
		w.f("\t\t\tif (!sgx_is_outside_enclave(s[i].%s, len))\n\t\t\t\t%s\n", m.Name, invalid)
		w.partial("\t\t\t", m)
		w.f("\t\t\tif (!edge_add(&total, len))\n\t\t\t\t%s\n\t\t}\n", invalid)
	}
	w.f(`	}
	sgx_lfence();
	if (total != 0) {
		*block = malloc(total);
		if (*block == NULL)
			return SGX_ERROR_OUT_OF_MEMORY;
	}
	kept = (struct edge_buffer *)*block;
	next = (char *)*block + (keep ? %d * sizeof(*kept) * n : 0);
	for (i = 0; i < n; i++) {
`, len(members))
	for _, m := range members {
		w.length("\t\t", "len", m.Buffer, m.Name, invalid, of("s[i]"))
		w.f("\t\tif (s[i].%s == NULL)\n\t\t\tlen = 0;\n", m.Name)
		w.f("\t\tif (keep) {\n\t\t\tkept->outside = (void *)s[i].%s;\n\t\t\tkept->len = len;\n\t\t\tkept++;\n\t\t}\n", m.Name)
		w.f("\t\tif (len != 0) {\n\t\t\tif (memcpy_s(next, len, s[i].%s, len) != 0)\n\t\t\t\treturn SGX_ERROR_UNEXPECTED;\n", m.Name)
		w.f("\t\t\ts[i].%s = (%s)edge_place(&next, len);\n\t\t} else {\n\t\t\ts[i].%s = NULL;\n\t\t}\n", m.Name, spellType(m.Type.Type), m.Name)
	}
	w.f("\t}\n\treturn SGX_SUCCESS;\n}\n\n")
}

// partial checks a member's length, in len, to be a whole number of elements.
func (w *writer) partial(indent string, m *plan.Member) {
	if partial(m.Buffer) {
		w.f("%sif (len %% %s != 0)\n%s\t%s\n", indent, elemSize(m.Buffer, "s[i]."+m.Name), indent, invalid)
	}
}

func (w *writer) deepOut(c *plan.Composite) {
	w.f(`/* Copies the buffers of the structs at s to where edge_%s_in has found them, and
 * makes the structs point there again. A buffer may have become shorter. */
static sgx_status_t edge_%s_out(struct %s *s, size_t n, const struct edge_buffer *kept)
{
	size_t len, i;

	if (s == NULL)
		return SGX_SUCCESS;
	for (i = 0; i < n; i++) {
`, c.Name, c.Name, c.Name)
	for _, m := range deepMembers(c) {
		w.length("\t\t", "len", m.Buffer, m.Name, invalid, of("s[i]"))
		w.f("\t\tif (s[i].%s != NULL && len != 0) {\n", m.Name)
		w.f("\t\t\tif (len > kept->len || !sgx_is_within_enclave(s[i].%s, len) ||\n\t\t\t    !sgx_is_outside_enclave(kept->outside, kept->len))\n\t\t\t\t%s\n", m.Name, invalid)
		w.f("\t\t\tif (edge_put(kept->outside, s[i].%s, len) != 0)\n\t\t\t\treturn SGX_ERROR_UNEXPECTED;\n\t\t}\n", m.Name)
		w.f("\t\ts[i].%s = (%s)kept->outside;\n\t\tkept++;\n", m.Name, spellType(m.Type.Type))
	}
	w.f("\t}\n\treturn SGX_SUCCESS;\n}\n\n")
}

func (w *writer) deepRoom(c *plan.Composite) {
	w.f(`/* Adds up the buffers of the structs at s, which must be inside. */
static sgx_status_t edge_%s_room(const struct %s *s, size_t n, size_t *total)
{
	size_t len, i;

	for (i = 0; s != NULL && i < n; i++) {
`, c.Name, c.Name)
	for _, m := range deepMembers(c) {
		w.length("\t\t", "len", m.Buffer, m.Name, invalid, of("s[i]"))
		w.f("\t\tif (s[i].%s != NULL && len != 0) {\n", m.Name)
		w.f("\t\t\tif (!sgx_is_within_enclave(s[i].%s, len))\n\t\t\t\t%s\n", m.Name, invalid)
		w.partial("\t\t\t", m)
		w.f("\t\t\tif (!edge_add(total, len))\n\t\t\t\t%s\n\t\t}\n", invalid)
	}
	w.f("\t}\n\treturn SGX_SUCCESS;\n}\n\n")
}

func (w *writer) deepPut(c *plan.Composite) {
	w.f(`/* Copies the structs at s to the host, and their buffers to next. Returns 0 if
 * that went well. */
static int edge_%s_put(struct %s *host, const struct %s *s, size_t n, char **next)
{
	struct %s one;
	size_t len, i;
	void *place;
	int bad = 0;

	for (i = 0; i < n; i++) {
		one = s[i];
`, c.Name, c.Name, c.Name, c.Name)
	for _, m := range deepMembers(c) {
		w.length("\t\t", "len", m.Buffer, m.Name, "return 1;", of("s[i]"))
		w.f("\t\tone.%s = NULL;\n\t\tif (s[i].%s != NULL && len != 0) {\n\t\t\tplace = edge_place(next, len);\n", m.Name, m.Name)
		w.f("\t\t\tbad |= edge_put(place, s[i].%s, len);\n\t\t\tone.%s = (%s)place;\n\t\t}\n", m.Name, m.Name, spellType(m.Type.Type))
	}
	w.f("\t\tbad |= edge_put(&host[i], &one, sizeof(one));\n\t}\n\treturn bad;\n}\n\n")
}

func (w *writer) deepBack(c *plan.Composite) {
	w.f(`/* Copies the structs that the host has returned to s, and their buffers from
 * next, where edge_%s_put has placed them. The host can have made a buffer
 * shorter, and nothing else of where it is. */
static sgx_status_t edge_%s_back(struct %s *s, size_t n, const struct %s *host, char *next)
{
	struct %s one;
	size_t room, len, i;
	void *place;

	for (i = 0; i < n; i++) {
		if (memcpy_s(&one, sizeof(one), &host[i], sizeof(one)) != 0)
			return SGX_ERROR_UNEXPECTED;
`, c.Name, c.Name, c.Name, c.Name, c.Name)
	for _, m := range deepMembers(c) {
		w.length("\t\t", "room", m.Buffer, m.Name, invalid, of("s[i]"))
		w.length("\t\t", "len", m.Buffer, m.Name, invalid, of("one"))
		w.f("\t\tif (s[i].%s == NULL)\n\t\t\troom = 0;\n", m.Name)
		w.f("\t\tplace = room != 0 ? edge_place(&next, room) : NULL;\n")
		w.f("\t\tif (s[i].%s != NULL && len != 0) {\n\t\t\tif ((void *)one.%s != place || len > room)\n\t\t\t\t%s\n", m.Name, m.Name, invalid)
		w.partial("\t\t\t", m)
		w.f("\t\t\tif (memcpy_s((void *)s[i].%s, room, place, len) != 0)\n\t\t\t\treturn SGX_ERROR_UNEXPECTED;\n\t\t}\n", m.Name)
		w.f("\t\tone.%s = s[i].%s;\n", m.Name, m.Name)
	}
	w.f("\t\ts[i] = one;\n\t}\n\treturn SGX_SUCCESS;\n}\n\n")
}
