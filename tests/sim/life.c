#include "tests/sim/life.h"

#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TRIES      3 /* one more than the cuts, so that a good image always gets its chance */
#define MAX_BLOCK  8192
#define MAX_REBOOT 64 /* a life that needs more has livelocked */

struct image {
	uint32_t version; /* 0: junk */
	uint32_t counter;
	enum fate fate;
};

static const struct image updates[] = {
	{ 1, 1, FATE_GOOD }, { 2, 2, FATE_GOOD },   { 3, 9, FATE_UNHEALTHY },
	{ 4, 8, FATE_DEAD }, { 5, 7, FATE_ROTTEN }, { 6, 3, FATE_GOOD },
};
#define UPDATES (sizeof(updates) / sizeof(updates[0]))

/* All that outlives a power cut, and what the harness knows. */
struct world {
	struct mue_flash_sim sim;
	uint8_t memory[2 * MAX_BLOCK];
	struct image slot[2];
	uint32_t goal;          /* index of the update the server offers */
	uint32_t confirmed_max; /* highest counter ever confirmed */
	uint32_t starts;        /* of the trial under way */
	struct mue_bootstate durable, storing;
	bool in_store;
	struct tally *t;
	char broken[200]; /* first broken promise of this life */
};

static void broke(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void broke(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->broken[0])
		return;
	va_start(ap, fmt);
	vsnprintf(w->broken, sizeof(w->broken), fmt, ap);
	va_end(ap);
}

static bool same(const struct mue_bootstate *a, const struct mue_bootstate *b)
{
	struct mue_bootstate x = *a, y = *b;

	x.sequence = y.sequence = 0;
	return !memcmp(&x, &y, sizeof(x));
}

static void store(struct world *w, const struct journal *j, struct mue_bootstate *s)
{
	int e;

	w->storing = *s;
	w->in_store = true;
	e = j->store(&w->sim.flash, s);
	if (e < 0)
		broke(w, "store says %d", e);
	w->durable = w->storing;
	w->in_store = false;
}

/* The first thing after power-on: the journal must give the old or the new state. */
static void load(struct world *w, const struct journal *j, struct mue_bootstate *ret)
{
	int e = j->load(&w->sim.flash, ret);

	if (e < 0) {
		broke(w, "load says %d", e);
		mue_bootstate_init(ret, MUE_SLOT_A);
		return;
	}
	if (!same(ret, &w->durable) && !(w->in_store && same(ret, &w->storing)))
		broke(w, "loaded neither the old nor the new state");
	w->durable = *ret;
	w->in_store = false;
	if (ret->counter > w->confirmed_max)
		broke(w, "the floor is %u, but only %u was confirmed", ret->counter,
		      w->confirmed_max);
}

/* A rotten image is found out when it is booted, not before. */
static int verify(const struct image *i, uint32_t floor)
{
	if (!i->version || i->fate == FATE_ROTTEN)
		return MUE_EDIGEST;
	return i->counter < floor ? MUE_ECOUNTER : MUE_OK;
}

/* The loader: returns the slot that runs. */
static uint8_t boot(struct world *w, const struct journal *j, struct mue_bootstate *s)
{
	struct mue_boot_choice c;
	uint8_t tried = 0;
	int e;

	load(w, j, s);
	for (;;) {
		mue_bootstate_step(s, 0, tried, &c);
		if (c.slot >= MUE_SLOT_FACTORY) {
			broke(w, "ended on the recovery link");
			return MUE_SLOT_RECOVERY;
		}
		if (c.reason == MUE_BOOT_TRIAL && j->start_before_store && ++w->starts > TRIES)
			broke(w, "the trial started %u times", w->starts);
		if (c.store)
			store(w, j, s);
		e = verify(&w->slot[c.slot], s->counter);
		if (e == MUE_OK)
			break;
		tried |= (uint8_t)(1u << c.slot);
		if (mue_bootstate_mark_bad(s, c.slot, e))
			store(w, j, s);
	}
	if (c.reason == MUE_BOOT_TRIAL && !j->start_before_store && ++w->starts > TRIES)
		broke(w, "the trial started %u times", w->starts);
	w->t->boots++;
	return c.slot;
}

/* A trial runs: confirms, gives up, or dies without a word. */
static void trial_runs(struct world *w, const struct journal *j, struct mue_bootstate *s,
		       uint8_t running)
{
	const struct image *i = &w->slot[running];
	int e = MUE_OK;

	if (i->fate == FATE_DEAD)
		return;
	if (i->fate == FATE_GOOD) {
		if (i->counter > w->confirmed_max)
			w->confirmed_max = i->counter;
		e = mue_bootstate_confirm(s, running, NULL);
	} else {
		e = mue_bootstate_revert(s, MUE_EHEALTH);
	}
	if (e < 0)
		broke(w, "the trial of version %u cannot end: %d", i->version, e);
	store(w, j, s);
}

/* The server's record: is the offered update done with? */
static bool decided(const struct world *w, const struct mue_bootstate *s, uint8_t running)
{
	const struct image *goal = &updates[w->goal];
	uint8_t other = running ^ 1;

	if (w->slot[running].version == goal->version)
		return true;
	return w->slot[other].version == goal->version && s->image[other] == MUE_IMAGE_BAD;
}

static void install(struct world *w, const struct journal *j, struct mue_bootstate *s,
		    uint8_t running)
{
	const struct image *goal = &updates[w->goal];
	uint8_t other = running ^ 1;
	int e = mue_bootstate_begin_write(s, 0, other);

	if (e < 0) {
		broke(w, "cannot write for version %u: %d", goal->version, e);
		return;
	}
	store(w, j, s);
	w->slot[other] = (struct image){ .version = 0 };
	w->slot[other] = *goal;
	w->starts = 0;
	e = j->request_trial(s, 0, other, TRIES, goal->counter);
	if (e < 0)
		broke(w, "cannot try version %u: %d", goal->version, e);
	store(w, j, s);
}

/* One power-on until the next reboot.  True when all updates are decided. */
static bool power_on(struct world *w, const struct journal *j)
{
	struct mue_bootstate s;
	uint8_t running = boot(w, j, &s);

	if (running == MUE_SLOT_RECOVERY)
		return true;
	if (running == s.trial) {
		trial_runs(w, j, &s, running);
		return false;
	}
	if (s.trial != MUE_SLOT_NONE)
		broke(w, "a pending trial did not boot");
	if (s.image[running] != MUE_IMAGE_GOOD) { /* the first image of all */
		mue_bootstate_confirm(&s, running, NULL);
		store(w, j, &s);
	}
	while (w->goal < UPDATES && decided(w, &s, running))
		w->goal++;
	if (w->goal == UPDATES)
		return true;
	install(w, j, &s, running);
	return false;
}

static void check_end(struct world *w, const struct journal *j)
{
	struct mue_bootstate s;

	load(w, j, &s);
	if (w->goal != UPDATES)
		broke(w, "stuck before update %u", w->goal);
	else if (w->slot[s.active].version != 6 || s.counter != 3)
		broke(w, "ends with version %u and floor %u", w->slot[s.active].version, s.counter);
	if (w->sim.breaches)
		broke(w, "%u breaches of the flash's rules", w->sim.breaches);
}

/* Runs to the end, with the first cut at operation `cut1` and the second `cut2` operations later.
 */
static void live(struct world *w, const struct journal *j, uint32_t cut1, uint32_t cut2,
		 enum mue_tear tear)
{
	volatile uint32_t reboots = 0;
	volatile int cuts = 0;

	mue_flash_sim_power_on(&w->sim, cut1, tear);
	if (setjmp(w->sim.on_cut)) {
		cuts++;
		w->t->cuts++;
		/* A torn store's tries: the trial may have been requested afresh. */
		mue_flash_sim_power_on(&w->sim, cuts == 1 ? cut2 : 0,
				       (enum mue_tear)((tear + cut2) % MUE_TEARS));
	}
	while (reboots++ < MAX_REBOOT && !w->broken[0])
		if (power_on(w, j))
			break;
	w->sim.cut_at = 0;
	if (!w->broken[0])
		check_end(w, j);
	w->t->lives++;
	if (!w->broken[0])
		return;
	if (!w->t->losses++)
		snprintf(w->t->first, sizeof(w->t->first), "cut at %u, then %u (%d): %.150s", cut1,
			 cut2, (int)tear, w->broken);
}

/* A device that leaves the factory, its journal already near the end of a block. */
static void begin(struct world *w, const struct geometry *g, const struct journal *j,
		  struct tally *t)
{
	struct mue_bootstate s;
	uint32_t stride = g->write_size > MUE_BOOTSTATE_RECORD ? g->write_size
							       : MUE_BOOTSTATE_RECORD;
	uint32_t fill = g->erase_size / stride - g->spare;

	memset(w, 0, sizeof(*w));
	w->t = t;
	memset(w->memory, g->erased, sizeof(w->memory));
	mue_flash_sim_init(&w->sim, w->memory, 2, g->erase_size, g->write_size, g->erased);
	w->sim.overwrite = g->overwrite;
	w->sim.count_breaches = true;
	w->slot[0] = (struct image){ 100, 0, FATE_GOOD };
	mue_bootstate_init(&s, MUE_SLOT_A);
	do
		store(w, j, &s);
	while (fill-- > 1);
}

void life_campaign(const struct geometry *g, const struct journal *j, uint32_t depth2,
		   uint64_t max_losses, struct tally *t)
{
	static struct world start, w;
	uint32_t ops, cut1, cut2;
	int tear;

	begin(&start, g, j, t);
	w = start;
	w.sim.flash.ctx = &w.sim;
	w.sim.memory = w.memory;
	start = w;
	live(&w, j, 0, 0, MUE_TEAR_BEFORE);
	ops = w.sim.ops;
	if (w.sim.erases > t->max_erases)
		t->max_erases = w.sim.erases;
	for (cut1 = 1; cut1 <= ops; cut1++)
		for (tear = 0; tear < MUE_TEARS; tear++)
			for (cut2 = 0; cut2 <= depth2; cut2++) {
				if (max_losses && t->losses >= max_losses)
					return;
				w = start;
				live(&w, j, cut1, cut2, (enum mue_tear)tear);
			}
}
