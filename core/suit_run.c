#include "core/mem.h"
#include "core/suit_command.h"

enum frame_kind {
	SEQUENCE,    /* shared, or the sequence itself */
	RUN,         /* argument of run-sequence */
	ALTERNATIVE, /* one of a try-each */
	TRY          /* the list of alternatives */
};

enum phase { SHARED, MAIN, DONE, FAILED };

/* --- frames --- */

static int push(struct mue_suit_run *run, enum frame_kind kind, struct mue_cbor c, size_t items,
		uint32_t selected)
{
	struct mue_suit_frame *f;

	if (run->depth == MUE_SUIT_FRAMES_MAX)
		return MUE_EPROFILE;
	f = &run->frame[run->depth++];
	memset(f, 0, sizeof(*f));
	f->at = c.at;
	f->end = c.end;
	f->left = (uint16_t)items;
	f->selected = selected;
	f->kind = (int8_t)kind;
	f->soft = kind == ALTERNATIVE; /* section 8.4.8.15 */
	f->strict = true;
	return 0;
}

static int push_sequence(struct mue_suit_run *run, enum frame_kind kind, struct mue_view content,
			 uint32_t selected)
{
	struct mue_cbor c;
	size_t items;
	int r = mue_suit_sequence_open(content, &c, &items);

	return r < 0 ? r : push(run, kind, c, items, selected);
}

/* The sequence on top is done; an alternative that succeeded ends its try-each. */
static void pop(struct mue_suit_run *run)
{
	if (run->frame[run->depth - 1].kind == ALTERNATIVE)
		run->depth--;
	run->depth--;
}

/*
 * A command failed.  A condition ends sequences outwards until one of them takes it softly: an
 * alternative (the try-each goes on with the next one) or a run-sequence.  A directive ends all.
 */
static int unwind(struct mue_suit_run *run, int verdict)
{
	if (!run->condition)
		return verdict;
	run->verdict = verdict;
	while (run->depth > 0) {
		const struct mue_suit_frame *f = &run->frame[--run->depth];

		if (f->soft && (f->kind == ALTERNATIVE || f->kind == RUN))
			return 0;
	}
	return verdict;
}

static int next_alternative(struct mue_suit_run *run, struct mue_suit_frame *f)
{
	struct mue_cbor c = { f->at, f->end };
	struct mue_view content;
	int r;

	run->condition = true; /* running out of alternatives is what the last condition said */
	if (f->left == 0)
		return run->verdict;
	f->left--;
	if (f->left == 0 && mue_cbor_null(&c) == 0) {
		run->depth--;
		return 0;
	}
	run->condition = false;
	r = mue_cbor_bytes(&c, &content);
	f->at = c.at;
	return r < 0 ? r : push_sequence(run, ALTERNATIVE, content, f->selected);
}

/* --- conditions and directives --- */

static int identity(const struct mue_suit_port *port, struct mue_view said, const uint8_t *own,
		    int verdict)
{
	if (port->any_device && said.data)
		return 0;
	if (!said.data || !own || memcmp(said.data, own, MUE_SUIT_UUID_SIZE) != 0)
		return verdict;
	return 0;
}

/* Is the parameter there that the condition is about?  Without it, it does not hold. */
static bool has_parameter(uint8_t condition, const struct mue_suit_params *p)
{
	switch (condition) {
	case MUE_SUIT_C_IMAGE_MATCH:
	case MUE_SUIT_C_IMAGE_NOT_MATCH:
	case MUE_SUIT_C_DEPENDENCY_INTEGRITY:
		return p->digest.data != NULL;
	case MUE_SUIT_C_USE_BEFORE:
		return p->has_use_before;
	case MUE_SUIT_C_SLOT:
		return p->has_slot;
	case MUE_SUIT_C_CONTENT:
		return p->content.data != NULL;
	case MUE_SUIT_C_BATTERY:
		return p->has_battery || p->has_battery_mwh;
	case MUE_SUIT_C_VERSION:
		return p->version.data != NULL;
	default: /* authorized: the priority is a hint */
		return true;
	}
}

static bool is_dependency(const struct mue_suit_run *run, uint8_t c)
{
	return (run->suit->dependency_mask >> c & 1) != 0;
}

static int condition(struct mue_suit_run *run, uint8_t code, uint8_t c)
{
	const struct mue_suit_port *port = run->port;
	const struct mue_suit_params *p = &run->params[c];

	run->condition = true;
	switch (code) {
	case MUE_SUIT_C_VENDOR:
		return identity(port, p->vendor, port->vendor, MUE_EVENDOR);
	case MUE_SUIT_C_CLASS:
		return identity(port, p->class_id, port->class_id, MUE_ECLASS);
	case MUE_SUIT_C_DEVICE:
		return identity(port, p->device, port->device, MUE_ECONDITION);
	case MUE_SUIT_C_ABORT:
		return MUE_ECONDITION;
	case MUE_SUIT_C_IS_DEPENDENCY:
		return is_dependency(run, c) ? 0 : MUE_ECONDITION;
	default:
		if (!has_parameter(code, p))
			return MUE_ECONDITION;
		if (code == MUE_SUIT_C_DEPENDENCY_INTEGRITY && !is_dependency(run, c))
			return MUE_ECONDITION;
		if (port->ops->check)
			return port->ops->check(port, code, c, p);
		run->condition = false;
		return MUE_EPROFILE;
	}
}

/* Only of a dependency, and only of one that a digest names. */
static int process_dependency(struct mue_suit_run *run, uint8_t c)
{
	const struct mue_suit_port_ops *ops = run->port->ops;
	const struct mue_suit_params *p = &run->params[c];

	if (!is_dependency(run, c) || !p->digest.data)
		return MUE_EFORMAT;
	return ops->dependency ? ops->dependency(run->port, run->sequence, c, p) : MUE_EPROFILE;
}

typedef int directive_fn(const struct mue_suit_port *port, uint8_t c,
			 const struct mue_suit_params *p);

static int directive(struct mue_suit_run *run, uint8_t code, uint8_t c)
{
	const struct mue_suit_port_ops *ops = run->port->ops;
	const struct mue_suit_params *p = &run->params[c];
	directive_fn *fn = NULL;
	bool ready = true;

	switch (code) {
	case MUE_SUIT_D_PROCESS_DEPENDENCY:
		return process_dependency(run, c);
	case MUE_SUIT_D_WRITE:
		fn = ops->write;
		ready = p->content.data != NULL;
		break;
	case MUE_SUIT_D_FETCH:
		fn = ops->fetch;
		ready = p->uri.data != NULL;
		break;
	case MUE_SUIT_D_COPY:
	case MUE_SUIT_D_SWAP:
		fn = code == MUE_SUIT_D_COPY ? ops->copy : ops->swap;
		ready = p->has_source && p->source != c;
		break;
	case MUE_SUIT_D_INVOKE:
		fn = ops->invoke;
		break;
	case MUE_SUIT_D_WAIT:
		fn = ops->wait;
		ready = p->wait.data != NULL;
		break;
	case MUE_SUIT_D_UNLINK:
		fn = ops->unlink;
		break;
	default:
		break;
	}
	if (!ready)
		return MUE_EFORMAT; /* a required parameter is not supplied: section 6.1 */
	return fn ? fn(run->port, c, p) : MUE_EPROFILE;
}

/* --- parameters --- */

static int override(struct mue_suit_run *run, struct mue_suit_frame *f, struct mue_cbor *c,
		    uint8_t component)
{
	struct mue_suit_param_scope scope = { run->suit->profile, run->count, run->phase == SHARED,
					      run->depth > 1 };

	return mue_suit_params_read(c, &scope, &run->params[component], &f->soft, &f->strict);
}

/* {index: {parameters}}: sets the index to the last one named. */
static int override_multiple(struct mue_suit_run *run, struct mue_suit_frame *f,
			     struct mue_view arg)
{
	struct mue_cbor c = mue_cbor_read(arg);
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int r = mue_cbor_map_open(&c, &m);

	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		if (key.arg >= run->count)
			return MUE_EFORMAT;
		r = override(run, f, &c, (uint8_t)key.arg);
		if (r < 0)
			return r;
		f->selected = (uint32_t)1 << key.arg;
	}
	return r;
}

/* {index: [parameter numbers]} */
static int copy_params(struct mue_suit_run *run, struct mue_view arg, uint8_t component)
{
	struct mue_cbor c = mue_cbor_read(arg);
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int64_t number;
	size_t n;
	int r = mue_cbor_map_open(&c, &m);

	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		if (key.arg >= run->count)
			return MUE_EFORMAT;
		r = mue_cbor_array(&c, &n);
		for (; r == 0 && n > 0; n--) {
			r = mue_cbor_int(&c, &number);
			if (r == 0)
				r = mue_suit_param_copy(number, &run->params[key.arg],
							&run->params[component]);
		}
		if (r < 0)
			return r;
	}
	return r;
}

/* --- one command --- */

static int try_each(struct mue_suit_run *run, struct mue_view arg, uint32_t selected)
{
	struct mue_cbor c = mue_cbor_read(arg);
	size_t n;
	int r = mue_cbor_array(&c, &n);

	return r < 0 ? r : push(run, TRY, c, n, selected);
}

static int run_sequence(struct mue_suit_run *run, struct mue_view arg, uint32_t selected)
{
	struct mue_cbor c = mue_cbor_read(arg);
	struct mue_view content;
	int r = mue_cbor_bytes(&c, &content);

	return r < 0 ? r : push_sequence(run, RUN, content, selected);
}

/* Applies a command to one component. */
static int apply(struct mue_suit_run *run, struct mue_suit_frame *f, const struct mue_suit_cmd *cmd,
		 uint8_t component)
{
	struct mue_cbor c = mue_cbor_read(cmd->arg);

	run->component = component;
	switch (cmd->kind) {
	case MUE_SUIT_ARG_CONDITION:
		return condition(run, cmd->code, component);
	case MUE_SUIT_ARG_DIRECTIVE:
		return directive(run, cmd->code, component);
	case MUE_SUIT_ARG_PARAMS:
		return override(run, f, &c, component);
	case MUE_SUIT_ARG_COPY:
		return copy_params(run, cmd->arg, component);
	case MUE_SUIT_ARG_TRY:
		return try_each(run, cmd->arg, (uint32_t)1 << component);
	case MUE_SUIT_ARG_RUN:
		return run_sequence(run, cmd->arg, (uint32_t)1 << component);
	default:
		return MUE_EPROFILE;
	}
}

static uint8_t lowest(uint32_t mask)
{
	uint8_t bit = 0;

	while (!(mask & 1)) {
		mask >>= 1;
		bit++;
	}
	return bit;
}

/* Executes the command at f->at for the next of the components it applies to. */
static int execute(struct mue_suit_run *run, struct mue_suit_frame *f)
{
	struct mue_cbor c = { f->at, f->end };
	struct mue_suit_cmd cmd;
	uint8_t component;
	int r = mue_suit_cmd_next(&c, &cmd);

	run->condition = false;
	if (r < 0)
		return r;
	run->command = cmd.code;
	if (cmd.kind == MUE_SUIT_ARG_INDEX || cmd.kind == MUE_SUIT_ARG_MULTIPLE) {
		r = cmd.kind == MUE_SUIT_ARG_INDEX
			    ? mue_suit_index(cmd.arg, run->count, &f->selected)
			    : override_multiple(run, f, cmd.arg);
		f->at = c.at;
		return r;
	}
	if (f->pending == 0)
		f->pending = f->selected;
	component = lowest(f->pending);
	r = apply(run, f, &cmd, component);
	if (r == MUE_EBUSY)
		return r;
	f->pending &= f->pending - 1;
	if (f->pending == 0)
		f->at = c.at;
	return r;
}

/* --- the run --- */

/* After the shared sequence comes the one asked for; 1 when there is something to run. */
static int next_phase(struct mue_suit_run *run)
{
	struct mue_view content = run->suit->sequence[run->sequence];
	int r;

	if (run->phase != SHARED) {
		run->phase = DONE;
		return 0;
	}
	run->phase = MAIN;
	if (!content.data)
		return 1;
	r = push_sequence(run, SEQUENCE, content, 1);
	return r < 0 ? r : 1;
}

int mue_suit_start(struct mue_suit_run *run, const struct mue_suit *s,
		   enum mue_suit_sequence sequence, const struct mue_suit_port *port,
		   struct mue_suit_params *params, uint8_t params_count, bool fresh)
{
	if ((uint8_t)sequence >= MUE_SUIT_SEQUENCES)
		return MUE_EINVAL;
	if (params_count < s->component_count)
		return MUE_ENOSPC;
	if (s->severed >> sequence & 1)
		return MUE_ENODATA;
	memset(run, 0, sizeof(*run));
	run->suit = s;
	run->port = port;
	run->params = params;
	run->count = s->component_count;
	run->sequence = (uint8_t)sequence;
	run->verdict = MUE_ECONDITION;
	if (fresh)
		memset(params, 0, s->component_count * sizeof(*params));
	run->phase = SHARED;
	return s->shared.data ? push_sequence(run, SEQUENCE, s->shared, 1) : 0;
}

int mue_suit_step(struct mue_suit_run *run)
{
	int r = run->phase == FAILED ? run->verdict : 1;

	while (r > 0 || (r == 0 && run->phase != DONE)) {
		struct mue_suit_frame *f;

		if (run->depth == 0) {
			r = next_phase(run);
			continue;
		}
		f = &run->frame[run->depth - 1];
		r = 1;
		if (f->kind == TRY)
			r = next_alternative(run, f);
		else if (f->at == f->end)
			pop(run);
		else
			r = execute(run, f);
		if (r == MUE_EBUSY)
			return r;
		if (r < 0)
			r = unwind(run, r);
	}
	if (r < 0) {
		run->phase = FAILED;
		run->verdict = r;
		run->depth = 0;
	}
	return r;
}
