#include "core/mem.h"
#include "core/suit_command.h"

/* A sequence, or the alternatives of a try-each, being walked. */
struct walk {
	struct mue_cbor c;
	size_t left; /* items still to read */
	bool alternatives;
};

struct walker {
	const struct mue_suit_check *how;
	uint8_t depth;
	struct walk stack[MUE_SUIT_FRAMES_MAX];
};

static int push(struct walker *w, struct mue_cbor c, size_t items, bool alternatives)
{
	struct walk *top;

	if (w->depth == MUE_SUIT_FRAMES_MAX)
		return MUE_EPROFILE;
	top = &w->stack[w->depth++];
	top->c = c;
	top->left = items;
	top->alternatives = alternatives;
	return 0;
}

static int push_sequence(struct walker *w, struct mue_view content)
{
	struct mue_cbor c;
	size_t n;
	int r = mue_suit_sequence_open(content, &c, &n);

	return r < 0 ? r : push(w, c, n, false);
}

static int check_params(struct walker *w, struct mue_cbor *c)
{
	struct mue_suit_param_scope scope = { w->how->profile, w->how->components, w->how->shared,
					      w->depth > 1 };
	struct mue_suit_params scratch;
	bool soft, strict;

	return mue_suit_params_read(c, &scope, &scratch, &soft, &strict);
}

/* A map from component index to parameters (override-multiple) or to numbers (copy-params). */
static int check_by_component(struct walker *w, struct mue_view arg, bool params)
{
	struct mue_cbor c = mue_cbor_read(arg);
	struct mue_suit_params scratch;
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int64_t number;
	size_t n;
	int r = mue_cbor_map_open(&c, &m);

	if (r == 0 && m.left == 0)
		r = MUE_EFORMAT;
	if (r < 0)
		return r;
	memset(&scratch, 0, sizeof(scratch));
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		if (key.type != MUE_CBOR_UINT || key.arg >= w->how->components)
			return MUE_EFORMAT;
		if (params) {
			r = check_params(w, &c);
		} else {
			r = mue_cbor_array(&c, &n);
			for (; r == 0 && n > 0; n--) {
				r = mue_cbor_int(&c, &number);
				if (r == 0)
					r = mue_suit_param_copy(number, &scratch, &scratch);
			}
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int check_alternatives(struct walker *w, struct mue_view arg)
{
	struct mue_cbor c = mue_cbor_read(arg);
	size_t n;
	int r = mue_cbor_array(&c, &n);

	if (r < 0)
		return r;
	return n < 2 ? MUE_EFORMAT : push(w, c, n, true);
}

static int check_run(struct walker *w, struct mue_view arg)
{
	struct mue_cbor c = mue_cbor_read(arg);
	struct mue_view content;
	int r = mue_cbor_bytes(&c, &content);

	return r < 0 ? r : push_sequence(w, content);
}

static int check_policy(struct mue_view arg)
{
	struct mue_cbor c = mue_cbor_read(arg);
	uint64_t policy;
	int r = mue_cbor_uint(&c, &policy);

	return r == 0 && policy > 15 ? MUE_EFORMAT : r; /* four bits: section 8.4.7 */
}

static int check_arg(struct walker *w, const struct mue_suit_cmd *cmd)
{
	struct mue_cbor c = mue_cbor_read(cmd->arg);
	uint32_t mask;

	switch (cmd->kind) {
	case MUE_SUIT_ARG_CONDITION:
	case MUE_SUIT_ARG_DIRECTIVE:
		return check_policy(cmd->arg);
	case MUE_SUIT_ARG_INDEX:
		if (w->how->profile < MUE_SUIT_P2 && *cmd->arg.data >> 5 != MUE_CBOR_UINT)
			return MUE_EPROFILE;
		return mue_suit_index(cmd->arg, w->how->components, &mask);
	case MUE_SUIT_ARG_PARAMS:
		return check_params(w, &c);
	case MUE_SUIT_ARG_TRY:
		return check_alternatives(w, cmd->arg);
	case MUE_SUIT_ARG_RUN:
		return check_run(w, cmd->arg);
	default:
		return check_by_component(w, cmd->arg, cmd->kind == MUE_SUIT_ARG_MULTIPLE);
	}
}

/* The next alternative: a sequence, or, as the last, nil. */
static int check_alternative(struct walker *w, struct walk *top)
{
	struct mue_view content;
	int r;

	top->left--;
	if (top->left == 0 && mue_cbor_null(&top->c) == 0)
		return 0;
	r = mue_cbor_bytes(&top->c, &content);
	return r < 0 ? r : push_sequence(w, content);
}

/* Is the command one for this sequence, of this manifest? */
static int check_place(const struct mue_suit_check *how, const struct mue_suit_cmd *cmd)
{
	if (cmd->profile > how->profile || (cmd->code == MUE_SUIT_D_UNLINK && !how->uninstall))
		return MUE_EPROFILE;
	if ((cmd->code == MUE_SUIT_C_DEPENDENCY_INTEGRITY ||
	     cmd->code == MUE_SUIT_D_PROCESS_DEPENDENCY) &&
	    !how->dependencies)
		return MUE_EFORMAT;
	return how->shared && !cmd->shared ? MUE_EFORMAT : 0; /* no side effects: section 5.3.2 */
}

static int check_command(struct walker *w, struct walk *top, bool first)
{
	struct mue_suit_cmd cmd;
	int r = mue_suit_cmd_next(&top->c, &cmd);

	if (r < 0)
		return r;
	r = check_place(w->how, &cmd);
	if (r < 0)
		return r;
	if (first && w->how->components > 1 && cmd.code != MUE_SUIT_D_SET_INDEX &&
	    cmd.code != MUE_SUIT_D_OVERRIDE_MULTIPLE)
		return MUE_EFORMAT; /* section 6.2 */
	top->left -= 2;
	return check_arg(w, &cmd);
}

int mue_suit_sequence_check(struct mue_view content, const struct mue_suit_check *how)
{
	struct walker w;
	bool first = true;
	int r;

	w.how = how;
	w.depth = 0;
	r = push_sequence(&w, content);
	while (r == 0 && w.depth > 0) {
		struct walk *top = &w.stack[w.depth - 1];

		if (top->left == 0) {
			r = mue_cbor_end(&top->c);
			w.depth--;
		} else if (top->alternatives) {
			r = check_alternative(&w, top);
		} else {
			r = check_command(&w, top, first);
			first = false;
		}
	}
	return r;
}
