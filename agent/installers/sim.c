#include "agent/installers/sim.h"

#include <string.h>

/* xorshift64* (Marsaglia): enough for choosing sectors, and the same on every machine. */
static uint64_t next_random(struct mue_sim_power *p)
{
	uint64_t x = p->seed ? p->seed : 88172645463325252u;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	p->seed = x;
	return x * 2685821657736338717u;
}

static int power_lost(struct mue_error *e)
{
	return mue_fail(e, MUE_EIO, "the simulated power is off");
}

/* Counts an operation.  0: do it; 1: do a part of it, then the power is off; 2: it is off. */
static int count(struct mue_sim_power *p)
{
	if (p->off)
		return 2;
	p->operations++;
	if (p->operations != p->cut_at)
		return 0;
	p->off = true;
	return 1;
}

static int sim_open(struct mue_installer *i, uint64_t size, struct mue_error *e)
{
	struct mue_sim_medium *m = i->ctx;

	if (m->power->off)
		return power_lost(e);
	if (size > m->size || (i->limit && size > i->limit))
		return mue_fail(e, MUE_ESIZE, "larger than the simulated medium");
	return 0;
}

static int sim_write(struct mue_installer *i, uint64_t off, const void *data, size_t len,
		     struct mue_error *e)
{
	struct mue_sim_medium *m = i->ctx;
	int cut = count(m->power);

	if (cut == 2)
		return power_lost(e);
	if (off > m->size || len > m->size - off)
		return mue_fail(e, MUE_ENOSPC, "beyond the simulated medium");
	if (cut)
		len = next_random(m->power) % (len + 1);
	memcpy(m->now + off, data, len);
	for (uint64_t s = off / MUE_SIM_SECTOR; len && s <= (off + len - 1) / MUE_SIM_SECTOR; s++)
		m->dirty[s] = true;
	return cut ? power_lost(e) : 0;
}

static void sim_push(struct mue_installer *i, uint64_t off, uint64_t len)
{
	(void)i;
	(void)off;
	(void)len;
}

static int sim_sync(struct mue_installer *i, struct mue_error *e)
{
	struct mue_sim_medium *m = i->ctx;

	if (count(m->power))
		return power_lost(e);
	memcpy(m->safe, m->now, m->size);
	memset(m->dirty, 0, m->size / MUE_SIM_SECTOR * sizeof(*m->dirty));
	return 0;
}

static int sim_read(struct mue_installer *i, uint64_t off, void *buf, size_t len,
		    struct mue_error *e)
{
	struct mue_sim_medium *m = i->ctx;

	if (m->power->off)
		return power_lost(e);
	if (off > m->size || len > m->size - off)
		return mue_fail(e, MUE_ETRUNC, "beyond the simulated medium");
	memcpy(buf, m->now + off, len);
	if (m->rot && len > 0)
		((uint8_t *)buf)[len / 2] ^= 1;
	return 0;
}

static void sim_close(struct mue_installer *i)
{
	(void)i;
}

const struct mue_installer_ops mue_installer_sim = {
	.name = "memory",
	.open = sim_open,
	.write = sim_write,
	.push = sim_push,
	.sync = sim_sync,
	.read = sim_read,
	.close = sim_close,
};

void mue_installer_sim_init(struct mue_installer *i, struct mue_sim_medium *m)
{
	memset(i, 0, sizeof(*i));
	i->fd = i->direct = -1;
	i->ops = &mue_installer_sim;
	i->ctx = m;
}

void mue_sim_power_on(struct mue_sim_power *p, struct mue_sim_medium *const *media, size_t count_)
{
	for (size_t n = 0; n < count_; n++) {
		struct mue_sim_medium *m = media[n];

		for (uint64_t s = 0; s < m->size / MUE_SIM_SECTOR; s++) {
			uint64_t at = s * MUE_SIM_SECTOR;

			if (m->dirty[s] && next_random(p) & 1)
				memcpy(m->safe + at, m->now + at, MUE_SIM_SECTOR);
			m->dirty[s] = false;
		}
		memcpy(m->now, m->safe, m->size);
	}
	p->off = false;
	p->cut_at = 0;
}
