#include "mcu/mcu.h"

#include "core/err.h"
#include "core/mem.h"
#include "mcu/judge.h"

#define HASHED 256 /* bytes a step */

static int load(const struct mue_mcu *m, struct mue_bootstate *ret)
{
	return m->d->ops->state_load(m->d->ctx, ret);
}

/* Stores only what differs: the journal wears. */
static int store(const struct mue_mcu *m, const struct mue_bootstate *before,
		 struct mue_bootstate *s)
{
	if (!memcmp(before, s, sizeof(*s)))
		return MUE_OK;
	return m->d->ops->state_store(m->d->ctx, s);
}

static void enter(struct mue_mcu *m, uint8_t phase, int verdict)
{
	m->phase = phase;
	m->verdict = (int8_t)verdict;
	m->report_due = true;
	m->want_due = false;
	m->patience = 0;
}

static int refuse(struct mue_mcu *m, int verdict)
{
	enter(m, MUE_PHASE_REFUSED, verdict);
	return verdict;
}

/* ---- gates ---- */

static bool in_window(const struct mue_mcu_device *d)
{
	uint16_t now = d->ops->minute ? d->ops->minute(d->ctx) : 0xffff;

	if (d->from == d->to || now == 0xffff)
		return true;
	if (d->from < d->to)
		return now >= d->from && now < d->to;
	return now >= d->from || now < d->to; /* over midnight */
}

/* May flash be worn and energy spent now?  Changes of the answer are reported. */
static int gate(struct mue_mcu *m, bool trial)
{
	const struct mue_mcu_device *d = m->d;
	int e = MUE_OK;

	if (d->ops->battery && d->ops->battery(d->ctx) < d->battery_min)
		e = MUE_EBATTERY;
	else if (d->ops->busy && d->ops->busy(d->ctx))
		e = MUE_EBUSY;
	else if (trial && !in_window(d))
		e = MUE_EPERM;
	if (e != m->verdict)
		m->report_due = true;
	m->verdict = (int8_t)e;
	return e;
}

/* ---- after a reset ---- */

static uint16_t session_of(const uint8_t *digest)
{
	return (uint16_t)(digest[0] << 8 | digest[1]);
}

/* The staged envelope's key: session and length are all that is known before it is there. */
static void stage_key(uint16_t session, uint16_t envelope, uint8_t *ret)
{
	memset(ret, 0, MUE_PIECES_KEY);
	ret[0] = (uint8_t)(session >> 8);
	ret[1] = (uint8_t)session;
	ret[2] = (uint8_t)(envelope >> 8);
	ret[3] = (uint8_t)envelope;
}

/* Was the envelope in stage installed before, and found bad? */
static bool failed_before(const struct mue_mcu *m, const struct mue_bootstate *s,
			  struct mue_suit_p0 *scratch)
{
	return s->image[m->target] == MUE_IMAGE_BAD &&
	       mue_judge_footer(m->d, m->target, scratch) == MUE_OK &&
	       session_of(scratch->digest) == m->session;
}

static void resume(struct mue_mcu *m, const struct mue_bootstate *s, struct mue_suit_p0 *scratch)
{
	if (mue_store_resume(&m->store, &m->d->stage) < 0)
		return;
	m->session = session_of(m->store.pieces.key);
	m->envelope = (uint16_t)m->store.pieces.size;
	if (m->session == m->running_session) {
		m->phase = mue_bootstate_confirmed(s) ? MUE_PHASE_DONE : MUE_PHASE_IDLE;
		return;
	}
	if (mue_store_complete(&m->store) && failed_before(m, s, scratch))
		refuse(m, s->verdict ? s->verdict : MUE_EREVERTED);
	else
		enter(m, MUE_PHASE_MANIFEST, MUE_OK);
}

int mue_mcu_init(struct mue_mcu *m, const struct mue_mcu_device *d, const struct mue_mcu_room *room)
{
	struct mue_suit_p0 p0;
	struct mue_bootstate s;
	int e;

	memset(m, 0, sizeof(*m));
	m->d = d;
	m->target = d->running == MUE_SLOT_A ? MUE_SLOT_B : MUE_SLOT_A;
	if (d->running > MUE_SLOT_B || !d->tries || !d->slot[0] || !d->slot[1])
		return MUE_EINVAL;
	mue_store_init(&m->store, room->bitmap, room->bitmap_len, room->cells, room->cells_count);
	m->payload = (struct mue_store_place){ .data = d->slot[m->target],
					       .room = d->footer,
					       .marks = d->marks,
					       .marks_off = d->marks_off,
					       .marks_room = d->marks_room,
					       .grain_log2 = d->grain_log2 };
	e = load(m, &s);
	if (e < 0)
		return e;
	m->reason = s.reason;
	if (mue_judge_footer(d, d->running, &p0) == MUE_OK) {
		m->sequence = p0.sequence;
		m->running_session = session_of(p0.digest);
	}
	m->testing = s.trial == d->running && s.begun;
	if (m->testing || s.trial == m->target) {
		m->session = m->running_session;
		enter(m, MUE_PHASE_TRIAL, MUE_OK);
		return MUE_OK;
	}
	resume(m, &s, &p0);
	m->report_due = true;
	return MUE_OK;
}

/* ---- messages ---- */

/* By its hints alone; the manifest is judged again when it is here. */
static int glance(const struct mue_mcu *m, const struct mue_frame *f)
{
	const struct mue_mcu_device *d = m->d;

	if (f->class_tag != session_of(d->class_id))
		return MUE_ECLASS;
	if (d->addressed && f->slot != m->target && f->slot != MUE_FRAME_ANY_SLOT)
		return MUE_EADDRESS;
	if (f->codec != MUE_FRAME_RAW)
		return MUE_EPROFILE;
	if (!f->size || f->size > d->footer || !f->envelope ||
	    f->envelope > d->slot[m->target]->size - d->footer - MUE_MCU_FOOTER_HEAD ||
	    f->envelope > d->stage.room)
		return MUE_ESIZE;
	return MUE_OK;
}

static int begin_manifest(struct mue_mcu *m, uint16_t session, uint16_t envelope)
{
	uint8_t key[MUE_PIECES_KEY];
	int e;

	stage_key(session, envelope, key);
	e = mue_store_begin(&m->store, &m->d->stage, key, envelope);
	m->session = session;
	m->envelope = envelope;
	if (e < 0)
		return refuse(m, e);
	enter(m, MUE_PHASE_MANIFEST, MUE_OK);
	m->want_due = true;
	return MUE_OK;
}

static bool receiving(const struct mue_mcu *m)
{
	return m->phase == MUE_PHASE_MANIFEST || m->phase == MUE_PHASE_PAYLOAD;
}

static int take_announce(struct mue_mcu *m, const struct mue_frame *f)
{
	int e;

	if (f->session == m->session && m->phase != MUE_PHASE_IDLE) {
		m->want_due = receiving(m);
		m->report_due = !m->want_due;
		return MUE_OK;
	}
	if (f->session == m->running_session && m->running_session && !receiving(m)) {
		m->session = m->running_session;
		enter(m, MUE_PHASE_DONE, MUE_OK);
		return MUE_EEXIST;
	}
	if (m->phase >= MUE_PHASE_CHECK && m->phase <= MUE_PHASE_TRIAL)
		return MUE_EBUSY;
	if (receiving(m) && ++m->patience < MUE_MCU_PATIENCE)
		return MUE_EBUSY;
	e = glance(m, f);
	if (e < 0) {
		/* An update for others must not end the one under way. */
		if (receiving(m))
			return e;
		m->session = f->session;
		return refuse(m, e);
	}
	e = gate(m, false);
	if (e < 0)
		return e;
	m->unsound = 0;
	return begin_manifest(m, f->session, f->envelope);
}

static int take_bytes(struct mue_mcu *m, const struct mue_frame *f)
{
	uint8_t phase = f->type == MUE_FRAME_MANIFEST ? MUE_PHASE_MANIFEST : MUE_PHASE_PAYLOAD;
	int e;

	if (m->phase != phase || f->session != m->session)
		return MUE_ENOTFOUND;
	m->patience = 0;
	e = gate(m, false);
	if (e < 0)
		return e;
	e = mue_store_put(&m->store, f->off, f->data, f->len);
	return e < 0 ? e : MUE_OK;
}

int mue_mcu_take(struct mue_mcu *m, const uint8_t *message, uint8_t len)
{
	struct mue_frame f;
	int e = mue_frame_read(message, len, &f);

	if (e < 0)
		return e;
	switch (f.type) {
	case MUE_FRAME_ANNOUNCE:
		return take_announce(m, &f);
	case MUE_FRAME_MANIFEST:
	case MUE_FRAME_PIECE:
		return take_bytes(m, &f);
	case MUE_FRAME_ASK:
		m->want_due = receiving(m) && f.session == m->session;
		m->report_due = m->report_due || !m->want_due;
		return MUE_OK;
	default:
		return MUE_EPROFILE;
	}
}

uint8_t mue_mcu_next(struct mue_mcu *m, uint8_t *buf, uint8_t room, bool spare)
{
	struct mue_frame f;
	int n;

	memset(&f, 0, sizeof(f));
	f.session = m->session;
	if (m->report_due) {
		f.type = MUE_FRAME_REPORT;
		f.phase = m->phase;
		f.verdict = m->verdict;
		f.reason = m->reason;
		f.running = m->d->running;
		f.sequence = m->sequence;
	} else if (receiving(m) && (m->want_due || spare) && room > 7) {
		f.type = MUE_FRAME_WANT;
		f.envelope_bit = m->phase == MUE_PHASE_MANIFEST;
		/* The bitmap is made where it will stand. */
		mue_store_want(&m->store, buf + 7, (uint8_t)(room - 7), &f);
	} else {
		return 0;
	}
	n = mue_frame_write(&f, buf, room);
	if (n <= 0)
		return 0;
	if (f.type == MUE_FRAME_REPORT)
		m->report_due = false;
	else
		m->want_due = false;
	return (uint8_t)n;
}

/* ---- work ---- */

/* An envelope that does not even hold together may have been spoilt on the way: once more. */
static int unsound(struct mue_mcu *m, int verdict)
{
	bool spoilt = verdict == MUE_EFORMAT || verdict == MUE_ETRUNC || verdict == MUE_EPROFILE ||
		      verdict == MUE_EDIGEST || verdict == MUE_ESIGNATURE || verdict == MUE_ECANON;

	if (spoilt && ++m->unsound < MUE_MCU_SIGNATURES)
		return begin_manifest(m, m->session, m->envelope);
	mue_store_forget(&m->d->stage);
	return refuse(m, verdict);
}

/* The manifest is accepted: opens the inactive slot and goes on with, or begins, the payload. */
static int begin_payload(struct mue_mcu *m, const struct mue_suit_p0 *p0, struct mue_bootstate *s)
{
	struct mue_bootstate before = *s;
	int e = mue_bootstate_begin_write(s, m->d->policy, m->target);

	if (e == MUE_OK)
		e = store(m, &before, s);
	if (e < 0)
		return refuse(m, e);
	memcpy(m->image, p0->image, sizeof(m->image));
	m->counter = p0->counter;
	e = mue_store_resume(&m->store, &m->payload);
	if (e < 0 || memcmp(m->store.pieces.key, p0->digest, 32) ||
	    m->store.pieces.size != p0->size)
		e = mue_store_begin(&m->store, &m->payload, p0->digest, p0->size);
	if (e < 0)
		return refuse(m, e);
	enter(m, MUE_PHASE_PAYLOAD, MUE_OK);
	return MUE_OK;
}

static int step_manifest(struct mue_mcu *m)
{
	struct mue_suit_p0 p0;
	struct mue_bootstate s;
	int e;

	if (!mue_store_complete(&m->store))
		return MUE_OK;
	e = load(m, &s);
	if (e < 0)
		return e;
	e = mue_judge_manifest(m->d, m->envelope, m->target, &p0);
	if (e == MUE_OK && session_of(p0.digest) != m->session)
		e = MUE_EDIGEST; /* announced as another */
	if (e < 0)
		return unsound(m, e);
	e = mue_judge_release(&p0, &s, m->sequence);
	if (e < 0) {
		mue_store_forget(&m->d->stage);
		return refuse(m, e);
	}
	return begin_payload(m, &p0, &s);
}

static int step_payload(struct mue_mcu *m)
{
	if (!mue_store_complete(&m->store))
		return MUE_OK;
	mue_sha256_init(&m->sha);
	m->at = 0;
	m->footer = false;
	enter(m, MUE_PHASE_CHECK, MUE_OK);
	return MUE_OK;
}

static int check_digest(struct mue_mcu *m)
{
	uint8_t digest[32], key[MUE_PIECES_KEY];
	int e;

	mue_sha256_final(&m->sha, digest);
	m->at = 0;
	if (!memcmp(digest, m->image, sizeof(digest))) {
		m->footer = true;
		return MUE_OK;
	}
	/* A piece of another payload came in, or flash is worn: everything once more. */
	if (++m->unsound >= MUE_MCU_SIGNATURES) {
		mue_store_forget(&m->payload);
		return refuse(m, MUE_EDIGEST);
	}
	memcpy(key, m->store.pieces.key, sizeof(key));
	e = mue_store_begin(&m->store, &m->payload, key, m->store.pieces.size);
	if (e < 0)
		return refuse(m, e);
	enter(m, MUE_PHASE_PAYLOAD, MUE_EDIGEST);
	return MUE_EDIGEST;
}

static int hash_some(struct mue_mcu *m)
{
	const struct mue_flash *f = m->payload.data;
	uint32_t size = m->store.pieces.size, end = m->at + HASHED, n;
	uint8_t b[32];
	int e;

	for (end = end < size ? end : size; m->at < end; m->at += n) {
		n = end - m->at < 32 ? end - m->at : 32;
		e = f->ops->read(f, m->at, b, n);
		if (e < 0)
			return e;
		mue_sha256_update(&m->sha, b, (size_t)n);
	}
	return m->at == size ? check_digest(m) : MUE_OK;
}

/* One grain of the footer, put together in a cell, which nobody uses any more. */
static int write_footer(struct mue_mcu *m)
{
	const struct mue_flash *f = m->payload.data, *stage = m->d->stage.data;
	uint32_t grain = (uint32_t)1 << m->d->grain_log2, i = 0, n, from;
	uint8_t *b = m->store.cells[0].data;
	uint32_t end = (uint32_t)m->envelope + MUE_MCU_FOOTER_HEAD, off = m->d->footer + m->at;
	int e = MUE_OK;

	for (n = 0; n < grain && !((off + n) & (f->erase_size - 1)) && e == MUE_OK;
	     n += f->erase_size)
		e = f->ops->erase(f, off + n);
	memset(b, f->erased, (size_t)grain);
	if (m->at == 0) {
		b[i++] = (uint8_t)m->envelope;
		b[i++] = (uint8_t)(m->envelope >> 8);
	}
	from = m->at + i - MUE_MCU_FOOTER_HEAD;
	n = end - m->at < grain ? end - m->at : grain;
	if (e == MUE_OK)
		e = stage->ops->read(stage, m->d->stage.off + from, b + i, n - i);
	if (e == MUE_OK)
		e = f->ops->write(f, off, b, grain);
	if (e < 0)
		return e;
	m->at += n;
	if (m->at == end)
		enter(m, MUE_PHASE_READY, MUE_OK);
	return MUE_OK;
}

static int step_ready(struct mue_mcu *m)
{
	struct mue_bootstate s, before;
	int e = gate(m, true);

	if (e == MUE_OK)
		e = load(m, &s);
	if (e < 0)
		return e;
	before = s;
	e = mue_bootstate_request_trial(&s, m->d->policy, m->target, m->d->tries, m->counter);
	if (e < 0)
		return refuse(m, e);
	e = store(m, &before, &s);
	if (e < 0)
		return e;
	enter(m, MUE_PHASE_TRIAL, MUE_OK);
	return MUE_EREBOOT;
}

static int step_trial(struct mue_mcu *m)
{
	struct mue_bootstate s, before;
	int e, test;

	if (!m->testing)
		return MUE_EREBOOT;
	test = m->d->ops->self_test(m->d->ctx);
	if (test == MUE_EBUSY)
		return MUE_OK;
	e = load(m, &s);
	if (e < 0)
		return e;
	before = s;
	e = test == MUE_OK ? mue_bootstate_confirm(&s, m->d->running, NULL)
			   : mue_bootstate_revert(&s, test);
	if (e == MUE_OK)
		e = store(m, &before, &s);
	if (e < 0)
		return e;
	m->testing = false;
	m->reason = s.reason;
	if (test == MUE_OK) {
		enter(m, MUE_PHASE_DONE, MUE_OK);
		return MUE_OK;
	}
	enter(m, MUE_PHASE_TRIAL, test);
	return MUE_EREBOOT;
}

int mue_mcu_step(struct mue_mcu *m)
{
	switch (m->phase) {
	case MUE_PHASE_MANIFEST:
		return step_manifest(m);
	case MUE_PHASE_PAYLOAD:
		return step_payload(m);
	case MUE_PHASE_CHECK:
		return m->footer ? write_footer(m) : hash_some(m);
	case MUE_PHASE_READY:
		return step_ready(m);
	case MUE_PHASE_TRIAL:
		return step_trial(m);
	default:
		return MUE_OK;
	}
}

int mue_mcu_cancel(struct mue_mcu *m)
{
	int e;

	if (m->phase == MUE_PHASE_TRIAL)
		return MUE_EBUSY;
	e = mue_store_forget(&m->d->stage);
	enter(m, MUE_PHASE_IDLE, MUE_ECANCELLED);
	return e;
}
