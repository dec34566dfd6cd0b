#include "core/frame_feed.h"

#include "core/err.h"
#include "core/mem.h"

enum { PAYLOAD = 0, ENVELOPE = 1 };
#define WINDOW_FIRST  1024u
#define WINDOW_LEAST  512u
#define WINDOW_PIECES 16u /* or so many small pieces, which need a receiver's memory too */
#define WINDOW_MOST   65536u

static uint32_t units_of(const struct mue_feed *f, uint8_t part)
{
	return (f->size[part] + MUE_FRAME_UNIT - 1) / MUE_FRAME_UNIT;
}

static bool wanted(const struct mue_feed *f, uint8_t part, uint32_t unit)
{
	return f->todo[part][unit >> 3] >> (unit & 7) & 1;
}

static void set(struct mue_feed *f, uint8_t part, uint32_t unit, bool want)
{
	uint8_t bit = (uint8_t)(1u << (unit & 7)), *byte = &f->todo[part][unit >> 3];

	if (want == wanted(f, part, unit))
		return;
	*byte = (uint8_t)(*byte ^ bit);
	f->left[part] += want ? 1 : (uint32_t)-1;
}

static void set_all(struct mue_feed *f, uint8_t part, bool want)
{
	uint32_t u;

	for (u = 0; u < units_of(f, part); u++)
		set(f, part, u, want);
	f->cursor[part] = 0;
}

int mue_feed_init(struct mue_feed *f, const struct mue_frame *head, const uint8_t *payload,
		  const uint8_t *envelope, uint8_t *todo_payload, uint8_t *todo_envelope,
		  struct mue_feed_node *nodes, uint8_t count)
{
	if (!head->size || !head->envelope || !count || count == MUE_FEED_ALL)
		return MUE_EINVAL;
	memset(f, 0, sizeof(*f));
	f->head = *head;
	f->part[PAYLOAD] = payload;
	f->part[ENVELOPE] = envelope;
	f->size[PAYLOAD] = head->size;
	f->size[ENVELOPE] = head->envelope;
	f->todo[PAYLOAD] = todo_payload;
	f->todo[ENVELOPE] = todo_envelope;
	memset(todo_payload, 0, (size_t)mue_feed_todo_size(f->size[PAYLOAD]));
	memset(todo_envelope, 0, (size_t)mue_feed_todo_size(f->size[ENVELOPE]));
	memset(nodes, 0, count * sizeof(*nodes));
	f->nodes = nodes;
	f->count = count;
	f->asked = MUE_FEED_ALL;
	f->announce = true;
	f->window = WINDOW_FIRST;
	return MUE_OK;
}

/* Is the node past saving, or past needing us? */
static bool over(const struct mue_feed_node *n)
{
	return n->phase >= MUE_PHASE_DONE || n->silence >= MUE_FEED_ATTEMPTS;
}

bool mue_feed_over(const struct mue_feed *f)
{
	uint8_t i;

	for (i = 0; i < f->count; i++)
		if (!over(&f->nodes[i]))
			return false;
	return true;
}

/* The smallest phase among nodes that are still on the way. */
static uint8_t slowest(const struct mue_feed *f)
{
	uint8_t i, least = MUE_PHASE_DONE;

	for (i = 0; i < f->count; i++)
		if (!over(&f->nodes[i]) && f->nodes[i].phase < least)
			least = f->nodes[i].phase;
	return least;
}

/* Broadcast: everything goes out once, the payload when every node has accepted the manifest. */
static void open_parts(struct mue_feed *f)
{
	if (f->count < 2)
		return;
	if (!f->opened[ENVELOPE]) {
		f->opened[ENVELOPE] = true;
		set_all(f, ENVELOPE, true);
	}
	if (!f->opened[PAYLOAD] && slowest(f) == MUE_PHASE_PAYLOAD) {
		f->opened[PAYLOAD] = true;
		set_all(f, PAYLOAD, true);
	}
}

/* Bytes in a piece, so that the pieces of a block are alike. */
static uint32_t piece_size(uint8_t room)
{
	uint32_t max = (uint32_t)(room - MUE_FRAME_HEAD) & ~(uint32_t)(MUE_FRAME_UNIT - 1), n;

	if (!max)
		return 0;
	n = (MUE_FEED_BLOCK + max - 1) / max;
	return (MUE_FEED_BLOCK / n + MUE_FRAME_UNIT - 1) & ~(uint32_t)(MUE_FRAME_UNIT - 1);
}

static uint8_t next_piece(struct mue_feed *f, uint8_t part, uint8_t *buf, uint8_t room)
{
	uint32_t units = units_of(f, part), u = f->cursor[part], most, first;
	struct mue_frame m;
	int n;

	most = room > MUE_FRAME_HEAD ? piece_size(room) / MUE_FRAME_UNIT : 0;
	if (!most || !f->left[part])
		return 0;
	for (; u >= units || !wanted(f, part, u); u++)
		if (u >= units)
			u = (uint32_t)-1;
	memset(&m, 0, sizeof(m));
	first = u;
	while (u < units && u - first < most && wanted(f, part, u)) {
		set(f, part, u++, false);
		if (u % (MUE_FEED_BLOCK / MUE_FRAME_UNIT) == 0)
			break;
	}
	f->cursor[part] = u;
	m.type = part == ENVELOPE ? MUE_FRAME_MANIFEST : MUE_FRAME_PIECE;
	m.session = f->head.session;
	m.off = first * MUE_FRAME_UNIT;
	m.data = f->part[part] + m.off;
	n = (int)((u - first) * MUE_FRAME_UNIT);
	if (m.off + (uint32_t)n > f->size[part])
		n = (int)(f->size[part] - m.off);
	m.len = (uint8_t)n;
	f->least = most * MUE_FRAME_UNIT * WINDOW_PIECES;
	if (f->least > WINDOW_LEAST)
		f->least = WINDOW_LEAST;
	f->sent += m.len;
	if (m.off + m.len > f->high[part])
		f->high[part] = m.off + m.len;
	n = mue_frame_write(&m, buf, room);
	return (uint8_t)(n < 0 ? 0 : n);
}

static uint8_t ask(struct mue_feed *f, uint8_t *buf, uint8_t room, uint8_t *ret_to)
{
	struct mue_frame m;
	uint8_t i;
	int n;

	if (f->asked != MUE_FEED_ALL)
		return 0;
	for (i = 0; i < f->count && over(&f->nodes[f->turn]); i++)
		f->turn = (uint8_t)(f->turn + 1 == f->count ? 0 : f->turn + 1);
	if (over(&f->nodes[f->turn]))
		return 0;
	memset(&m, 0, sizeof(m));
	m.type = MUE_FRAME_ASK;
	m.session = f->head.session;
	n = mue_frame_write(&m, buf, room);
	if (n < 0)
		return 0;
	*ret_to = f->asked = f->turn;
	f->nodes[f->turn].silence++;
	f->turn = (uint8_t)(f->turn + 1 == f->count ? 0 : f->turn + 1);
	return (uint8_t)n;
}

uint8_t mue_feed_next(struct mue_feed *f, uint8_t *buf, uint8_t room, uint8_t *ret_to)
{
	uint8_t n = 0;
	int e;

	*ret_to = f->count == 1 ? 0 : MUE_FEED_ALL;
	if (f->announce) {
		e = mue_frame_write(&f->head, buf, room);
		f->announce = e < 0;
		return (uint8_t)(e < 0 ? 0 : e);
	}
	if (mue_feed_over(f))
		return 0;
	open_parts(f);
	if (f->count > 1 || f->sent < f->window)
		n = next_piece(f, ENVELOPE, buf, room);
	if (!n && (f->count > 1 || f->sent < f->window))
		n = next_piece(f, PAYLOAD, buf, room);
	/* No room for a piece is no reason for a question. */
	if (!n &&
	    ((!f->left[PAYLOAD] && !f->left[ENVELOPE]) || (f->count == 1 && f->sent >= f->window)))
		n = ask(f, buf, room, ret_to);
	return n;
}

/* A window went through whole, or did not. */
static void adapt(struct mue_feed *f, uint8_t part, uint32_t missing_from)
{
	if (!f->sent)
		return;
	if (missing_from < f->high[part])
		f->window = f->window / 2 > f->least ? f->window / 2 : f->least;
	else if (f->window < WINDOW_MOST)
		f->window *= 2;
	f->sent = 0;
	f->high[part] = missing_from;
}

static int take_want(struct mue_feed *f, const struct mue_frame *m)
{
	uint8_t part = m->envelope_bit;
	uint32_t units = units_of(f, part), u, i, per = (uint32_t)1 << (m->grain_log2 - 2);
	bool want;

	if (m->off > f->size[part] || m->off % MUE_FRAME_UNIT)
		return MUE_EFORMAT;
	for (u = 0; f->count == 1 && u < m->off / MUE_FRAME_UNIT; u++)
		set(f, part, u, false);
	if (part == PAYLOAD && f->count == 1)
		set_all(f, ENVELOPE, false);
	u = m->off / MUE_FRAME_UNIT;
	for (i = 0; i < (uint32_t)m->len * 8 && u < units; i++) {
		uint32_t end = units - u < per ? units : u + per;

		want = m->data[i >> 3] >> (i & 7) & 1;
		for (; u < end; u++)
			if (want || f->count == 1)
				set(f, part, u, want);
	}
	f->cursor[part] = m->off / MUE_FRAME_UNIT;
	adapt(f, part, m->off);
	return MUE_OK;
}

int mue_feed_take(struct mue_feed *f, uint8_t node, const uint8_t *message, uint8_t len)
{
	struct mue_feed_node *n;
	struct mue_frame m;
	int e = mue_frame_read(message, len, &m);

	if (e < 0)
		return e;
	if (node >= f->count || (m.type != MUE_FRAME_WANT && m.type != MUE_FRAME_REPORT))
		return MUE_EPROTOCOL;
	n = &f->nodes[node];
	n->silence = 0;
	if (f->asked == node)
		f->asked = MUE_FEED_ALL;
	if (m.type == MUE_FRAME_REPORT) {
		n->reason = m.reason;
		n->running = m.running;
		n->sequence = m.sequence;
	}
	if (m.session != f->head.session || (m.type == MUE_FRAME_REPORT && !m.phase)) {
		/* It knows nothing of us, yet or any more. */
		n->phase = MUE_PHASE_IDLE;
		n->verdict = m.verdict;
		f->announce = true;
		return m.session != f->head.session ? MUE_ENOTFOUND : MUE_OK;
	}
	if (m.type == MUE_FRAME_WANT) {
		n->phase = m.envelope_bit ? MUE_PHASE_MANIFEST : MUE_PHASE_PAYLOAD;
		n->verdict = MUE_OK;
		return take_want(f, &m);
	}
	n->phase = m.phase;
	n->verdict = m.verdict;
	return MUE_OK;
}

void mue_feed_nudge(struct mue_feed *f)
{
	if (f->asked != MUE_FEED_ALL && f->nodes[f->asked].phase == MUE_PHASE_IDLE)
		f->announce = true;
	f->asked = MUE_FEED_ALL;
	f->sent = 0;
}
