#include "sim/mcu_field.h"

#include "core/err.h"

#include <string.h>

#define TICK    5000u  /* us */
#define WINDOW  30000u /* us that an empty receive window stays open */
#define GATEWAY (RADIO_STATIONS - 1)
#define OVERDUE 500000u /* us, beyond what the radio itself may take */

static uint8_t feeds(const struct field *f)
{
	return f->p.mode == FIELD_DEDICATED ? 1 : f->p.nodes;
}

static struct mue_feed *feed_of(struct field *f, uint8_t node)
{
	return f->p.mode == FIELD_DEDICATED ? &f->feed[0] : &f->feed[node];
}

static uint8_t place_of(const struct field *f, uint8_t node)
{
	return f->p.mode == FIELD_DEDICATED ? node : 0;
}

static void begin_feeds(struct field *f)
{
	struct mue_frame head = { .type = MUE_FRAME_ANNOUNCE,
				  .session = f->rel.session,
				  .envelope = f->rel.envelope_len,
				  .size = f->rel.size,
				  .class_tag = f->rel.class_tag,
				  .slot = f->rel.slot };

	for (uint8_t i = 0; i < feeds(f); i++)
		mue_feed_init(&f->feed[i], &head, f->rel.image, f->rel.envelope, f->todo[i][0],
			      f->todo[i][1], &f->seen[i], f->p.nodes / feeds(f));
}

static void hear(struct field *f, uint8_t node, const uint8_t *message, uint8_t len)
{
	if (message && f->p.mode != FIELD_SERVICE)
		mue_feed_take(feed_of(f, node), place_of(f, node), message, len);
}

/* The longest packet after which the duty cycle lets the sender send again in `share` us. */
static uint8_t longest(const struct field *f, uint64_t share)
{
	uint8_t len = f->p.radio.mtu;

	while (len > 0 && radio_airtime(&f->radio, len) * 1000 / f->p.radio.duty > share)
		len--;
	return len;
}

/* ---- node ---- */

static void node_packet(struct field *f, uint8_t i, const uint8_t *buf, uint8_t len)
{
	struct mue_packet p;

	if (mue_packet_split(buf, len, &p) < 0)
		return;
	if (p.service) {
		uint64_t took = f->radio.now - f->opened[i];

		f->result.answers++;
		if (took > f->result.latency)
			f->result.latency = took;
	}
	if (p.message)
		mue_mcu_take(&f->node[i].client, p.message, p.message_len);
}

static void node_reading(struct field *f, uint8_t i)
{
	uint8_t most = longest(f, (uint64_t)f->p.period * 1000);
	uint8_t buf[RADIO_MTU], at = (uint8_t)(1 + f->p.up), room;

	f->next_reading[i] += (uint64_t)f->p.period * 1000;
	memset(buf, 0x33, sizeof(buf));
	buf[0] = f->p.up;
	room = most > at ? mue_packet_room(most, f->p.up) : 0;
	if (f->p.mode == FIELD_PIGGYBACK)
		at = (uint8_t)(at + mue_mcu_next(&f->node[i].client, buf + at, room, true));
	if (radio_send(&f->radio, i, GATEWAY, 0, buf, at) == MUE_OK)
		radio_window(&f->radio, i, WINDOW);
}

static void node_tick(struct field *f, uint8_t i)
{
	uint8_t buf[RADIO_MTU], from, len;

	while ((len = radio_receive(&f->radio, i, buf, &from)) > 0)
		node_packet(f, i, buf, len);
	for (int n = 0; n < 2; n++)
		if (mue_mcu_step(&f->node[i].client) == MUE_EREBOOT)
			mcu_node_boot(&f->node[i]);
	if (f->radio.now >= f->next_reading[i])
		node_reading(f, i);
	if (f->p.mode != FIELD_DEDICATED || f->radio.now < f->radio.station[i].free_at)
		return;
	len = mue_mcu_next(&f->node[i].client, buf, f->p.radio.mtu, false);
	if (len)
		radio_send(&f->radio, i, GATEWAY, 0, buf, len);
}

/* ---- gateway ---- */

/* Time until the next window may open: readings may be longer, and delayed otherwise. */
static uint64_t share_of(const struct field *f)
{
	uint64_t share = (uint64_t)f->p.period * 1000 / f->p.nodes;
	uint64_t jitter = radio_airtime(&f->radio, f->p.radio.mtu) + f->p.radio.delay_max;

	return share > jitter ? share - jitter : 0;
}

/* A node's window is open: its service data first, then what fits beside them. */
static void answer(struct field *f, uint8_t node)
{
	uint8_t most = longest(f, share_of(f));
	uint8_t buf[RADIO_MTU], at = 0, to, n = 0, room;

	f->opened[node] = f->radio.now;
	if (++f->count[node] % f->p.down_every == 0) {
		f->result.answers_sent += !f->pending[node];
		f->pending[node] = true;
	}
	if (f->radio.now < f->radio.station[GATEWAY].free_at) {
		f->result.late += f->pending[node];
		return;
	}
	memset(buf, 0x44, sizeof(buf));
	if (f->pending[node]) {
		buf[0] = f->p.down;
		at = (uint8_t)(1 + f->p.down);
	}
	room = most > at ? mue_packet_room(most, at ? f->p.down : 0) : 0;
	if (f->p.mode == FIELD_PIGGYBACK && room)
		n = mue_feed_next(feed_of(f, node), buf + at, room, &to);
	if (at + n && radio_send(&f->radio, GATEWAY, node, 0, buf, (uint8_t)(at + n)) == MUE_OK) {
		f->pending[node] = false;
		f->result.update_air += n;
	}
}

static void gateway_packet(struct field *f, uint8_t from, const uint8_t *buf, uint8_t len)
{
	struct mue_packet p;

	if (mue_packet_split(buf, len, &p) < 0)
		return;
	hear(f, from, p.message, p.message_len);
	if (!p.service)
		return;
	f->result.readings++;
	if (!p.message && f->p.mode == FIELD_PIGGYBACK)
		mue_feed_nudge(feed_of(f, from));
	answer(f, from);
}

static void broadcast(struct field *f)
{
	uint64_t patience = 2ull * (f->p.radio.delay_max + radio_airtime(&f->radio, RADIO_MTU)) +
			    OVERDUE;
	uint8_t buf[RADIO_MTU], len, to;

	if (f->radio.now < f->radio.station[GATEWAY].free_at)
		return;
	len = mue_feed_next(&f->feed[0], buf, f->p.radio.mtu, &to);
	if (len) {
		radio_send(&f->radio, GATEWAY, to, f->p.nodes, buf, len);
		f->result.update_air += len;
		f->asked_at = f->radio.now;
	} else if (f->radio.now - f->asked_at > patience) {
		mue_feed_nudge(&f->feed[0]);
		f->asked_at = f->radio.now;
	}
}

/* The second link of node 0: as many frames as the line takes, and the answers. */
static void serial_tick(struct field *f)
{
	uint8_t packet[RADIO_MTU], out[MUE_SERIAL_MAX], len, to;
	int n;

	while (f->serial_free <= f->radio.now) {
		len = mue_feed_next(feed_of(f, 0), packet, RADIO_MTU, &to);
		n = len ? mue_serial_write(packet, len, out) : 0;
		if (n <= 0)
			break;
		f->result.serial += (uint64_t)n;
		f->serial_free = f->radio.now + (uint64_t)n * 10 * 1000000 / f->p.baud;
		for (int i = 0; i < n; i++) {
			int got;

			f->seed = f->seed * 1664525u + 1013904223u;
			if ((f->seed >> 8) % 1000 < f->p.serial_bad)
				out[i] ^= (uint8_t)(1u << (f->seed >> 29));
			got = mue_serial_take(&f->line, out[i]);
			if (got > 0)
				node_packet(f, 0, f->line.buf, (uint8_t)got);
		}
	}
	len = mue_mcu_next(&f->node[0].client, packet, RADIO_MTU, false);
	if (len)
		hear(f, 0, packet, len);
	else if (f->serial_free + OVERDUE < f->radio.now) {
		mue_feed_nudge(feed_of(f, 0));
		f->serial_free = f->radio.now;
	}
}

static void gateway_tick(struct field *f)
{
	uint8_t buf[RADIO_MTU], from, len;

	while ((len = radio_receive(&f->radio, GATEWAY, buf, &from)) > 0)
		gateway_packet(f, from, buf, len);
	if (f->p.mode == FIELD_DEDICATED)
		broadcast(f);
	if (f->p.baud)
		serial_tick(f);
}

/* Counts who is through; those stop listening. */
static bool finished(struct field *f)
{
	uint8_t done = 0, refused = 0;

	for (uint8_t i = 0; i < f->p.nodes; i++) {
		const struct mue_mcu *m = &f->node[i].client;
		bool through = m->phase >= MUE_PHASE_DONE && m->session == f->rel.session;

		done = (uint8_t)(done + (through && m->phase == MUE_PHASE_DONE));
		refused = (uint8_t)(refused + (through && m->phase == MUE_PHASE_REFUSED));
		if (through && m->phase == MUE_PHASE_REFUSED)
			f->result.verdict = m->verdict;
		f->radio.station[i].listening = f->p.mode == FIELD_DEDICATED && !through;
	}
	f->result.done = done;
	f->result.refused = refused;
	return done + refused == f->p.nodes;
}

void field_run(struct field *f, const struct field_params *p, const struct field_release *rel,
	       struct field_result *ret)
{
	bool over = false;

	f->p = *p;
	f->rel = *rel;
	f->seed = p->radio.seed;
	radio_init(&f->radio, &p->radio);
	mue_serial_init(&f->line);
	memset(&f->result, 0, sizeof(f->result));
	begin_feeds(f);
	for (uint8_t i = 0; i < p->nodes; i++) {
		mcu_node_power(&f->node[i], 0, MUE_TEAR_BEFORE);
		mcu_node_boot(&f->node[i]);
		/* In dedicated windows there is no service beside the update. */
		f->next_reading[i] = p->mode == FIELD_DEDICATED
					     ? UINT64_MAX
					     : (uint64_t)p->period * 1000 / p->nodes * i;
	}
	while (f->radio.now < p->limit * 1000 && (!over || p->past_end)) {
		gateway_tick(f);
		for (uint8_t i = 0; i < p->nodes; i++)
			node_tick(f, i);
		if (finished(f) && !over) {
			over = true;
			f->result.ms = f->radio.now / 1000;
		}
		radio_advance(&f->radio, TICK);
	}
	f->result.air = f->radio.station[GATEWAY].bytes;
	for (uint8_t i = 0; i < p->nodes; i++)
		f->result.joules += radio_joules(&f->radio, i);
	*ret = f->result;
}
