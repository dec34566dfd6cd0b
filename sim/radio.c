#include "sim/radio.h"

#include "core/err.h"

#include <string.h>

static uint32_t chance(struct radio *r, uint32_t below)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return below ? (uint32_t)(((uint64_t)r->seed * below) >> 32) : 0;
}

void radio_init(struct radio *r, const struct radio_params *p)
{
	memset(r, 0, sizeof(*r));
	r->p = *p;
	r->seed = p->seed;
}

uint64_t radio_airtime(const struct radio *r, uint8_t len)
{
	return ((uint64_t)len + r->p.overhead) * 8 * 1000000 / r->p.bitrate;
}

static void deliver(struct radio *r, uint8_t from, uint8_t to, const uint8_t *data, uint8_t len)
{
	struct radio_packet *q;
	uint32_t extra = chance(r, r->p.delay_max - r->p.delay_min + 1);
	bool lost = chance(r, 1000) < r->p.loss;

	/* Half a packet costs the receiver as much as a whole one. */
	r->station[to].rx_us += radio_airtime(r, len);
	if (lost || r->count == RADIO_PENDING)
		return;
	q = &r->pending[r->count++];
	q->due = r->now + radio_airtime(r, len) + r->p.delay_min + extra;
	q->from = from;
	q->to = to;
	q->len = len;
	memcpy(q->data, data, len);
}

int radio_send(struct radio *r, uint8_t from, uint8_t to, uint8_t nodes, const uint8_t *data,
	       uint8_t len)
{
	struct radio_station *s = &r->station[from];
	uint64_t air = radio_airtime(r, len);

	if (len > r->p.mtu || !len)
		return MUE_ESIZE;
	if (r->now < s->free_at)
		return MUE_EBUSY;
	s->free_at = r->now + air * 1000 / r->p.duty;
	s->tx_us += air;
	s->bytes += len;
	s->packets++;
	if (to != RADIO_ALL)
		deliver(r, from, to, data, len);
	for (uint8_t i = 0; to == RADIO_ALL && i < nodes; i++)
		deliver(r, from, i, data, len);
	return MUE_OK;
}

uint8_t radio_receive(struct radio *r, uint8_t station, uint8_t *buf, uint8_t *ret_from)
{
	uint32_t best = r->count;
	uint8_t len;

	for (uint32_t i = 0; i < r->count; i++)
		if (r->pending[i].to == station && r->pending[i].due <= r->now &&
		    (best == r->count || r->pending[i].due < r->pending[best].due))
			best = i;
	if (best == r->count)
		return 0;
	len = r->pending[best].len;
	memcpy(buf, r->pending[best].data, len);
	*ret_from = r->pending[best].from;
	r->pending[best] = r->pending[--r->count];
	return len;
}

void radio_advance(struct radio *r, uint64_t us)
{
	r->now += us;
	for (int i = 0; i < RADIO_STATIONS; i++)
		if (r->station[i].listening)
			r->station[i].listen_us += us;
}

void radio_window(struct radio *r, uint8_t station, uint64_t us)
{
	r->station[station].rx_us += us;
}

double radio_joules(const struct radio *r, uint8_t station)
{
	const struct radio_station *s = &r->station[station];
	/* Who listens all the time receives within that time. */
	uint64_t rx = s->listen_us > s->rx_us ? s->listen_us : s->rx_us;

	return ((double)s->tx_us * r->p.tx_w + (double)rx * r->p.rx_w) / 1e6;
}
