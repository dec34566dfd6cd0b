#include "tests/sim/mcu_life.h"

#include "core/err.h"
#include "core/frame_feed.h"
#include "core/suit_p0.h"
#include "host/buf.h"
#include "tests/boot/rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VERSIONS   3
#define SIZE       2900u
#define MTU        64
#define MAX_TURNS  20000
#define MAX_REBOOT 60
/* What a cut may cost beside the grain under way: the other cell, an erase block of grains. */
#define RESENT_A_CUT 2600u

const struct mcu_geometry mcu_life_geometries[] = {
	{ "ATmega128: pages of 256, EEPROM", 256, 256, 8, 256, 1 },
	{ "nRF51: pages of 1024, words", 1024, 4, 8, 1024, 4 },
	{ "pages of 128, halfwords", 128, 2, 8, 128, 2 },
};
const unsigned mcu_life_geometries_count = 3;

static struct rig rig;
static struct mue_cose_lms lms;
static struct mue_verifier verifier;
static uint8_t image[VERSIONS][SIZE];
static struct mue_buf envelope[VERSIONS];
static const uint8_t linked[VERSIONS] = { 0, 1, 0 };

struct life {
	struct mcu_node node;
	struct mue_feed feed;
	struct mue_feed_node seen;
	uint8_t todo[2][1024];
	uint8_t goal; /* version being installed */
	uint64_t sent;
	uint32_t cuts;
	char broken[200];
};

static void broke(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void broke(struct life *l, const char *fmt, ...)
{
	va_list ap;

	if (l->broken[0])
		return;
	va_start(ap, fmt);
	vsnprintf(l->broken, sizeof(l->broken), fmt, ap);
	va_end(ap);
}

int mcu_life_setup(void)
{
	if (rig_open(&rig) < 0)
		return -1;
	lms = (struct mue_cose_lms){ .pub = mue_key_public(rig.key)->point, .pub_size = 52 };
	verifier = (struct mue_verifier){ &mue_cose_lms_ops, &lms };
	for (uint32_t v = 0; v < VERSIONS; v++) {
		struct rig_release rel = { .sequence = v + 1,
					   .counter = v + 1,
					   .slot = linked[v],
					   .image = image[v],
					   .size = SIZE - 7 * v };

		envelope[v].max = 65536;
		for (uint32_t i = 0; i < SIZE; i++)
			image[v][i] = (uint8_t)((i * 2654435761u >> 13) + v * 91);
		if (rig_envelope(&rig, &rel, &envelope[v]) < 0)
			return -1;
	}
	return 0;
}

void mcu_life_teardown(void)
{
	for (int v = 0; v < VERSIONS; v++)
		mue_buf_free(&envelope[v]);
	rig_close(&rig);
}

static uint32_t size_of(uint8_t v)
{
	return SIZE - 7u * v;
}

static void offer(struct life *l)
{
	const struct mue_buf *e = &envelope[l->goal];
	struct mue_suit_p0 p0;
	struct mue_lms_source s = { mue_lms_read_memory, e->data, (uint32_t)e->len };
	struct mue_frame head = { .type = MUE_FRAME_ANNOUNCE,
				  .envelope = (uint16_t)e->len,
				  .size = size_of(l->goal),
				  .slot = linked[l->goal] };

	mue_suit_p0_open(&s, &verifier, &p0);
	head.session = (uint16_t)(p0.digest[0] << 8 | p0.digest[1]);
	head.class_tag = (uint16_t)(rig.class_id[0] << 8 | rig.class_id[1]);
	mue_feed_init(&l->feed, &head, image[l->goal], e->data, l->todo[0], l->todo[1], &l->seen,
		      1);
}

static void check_boot(struct life *l)
{
	struct mcu_node *n = &l->node;
	struct mue_bootstate s;
	uint32_t sequence = 0;

	if (n->recovery) {
		broke(l, "nothing to boot");
		return;
	}
	if (n->client.sequence != l->goal && n->client.sequence != l->goal + 1u)
		broke(l, "sequence %u runs while %u is installed", n->client.sequence,
		      l->goal + 1u);
	if (n->device.ops->state_load(n, &s) < 0)
		broke(l, "no state");
	for (uint8_t slot = 0; slot < 2; slot++)
		if (s.image[slot] == MUE_IMAGE_GOOD && mcu_node_verify(n, slot, 0, &sequence) < 0)
			broke(l, "slot %u is called good and is not", slot);
}

/* One turn of the link and the firmware; true: reboot. */
static bool turn(struct life *l)
{
	uint8_t buf[MTU], len, to;
	int e;

	len = mue_feed_next(&l->feed, buf, MTU, &to);
	if (len) {
		if (buf[0] == MUE_FRAME_PIECE || buf[0] == MUE_FRAME_MANIFEST)
			l->sent += len - MUE_FRAME_HEAD;
		mue_mcu_take(&l->node.client, buf, len);
	}
	e = mue_mcu_step(&l->node.client);
	if (e == MUE_EDIGEST || e == MUE_ESIGNATURE || e == MUE_EFORMAT)
		broke(l, "a mark lied: %d", e);
	if (e == MUE_EREBOOT)
		return true;
	len = mue_mcu_next(&l->node.client, buf, MTU, false);
	if (len)
		mue_feed_take(&l->feed, 0, buf, len);
	else
		mue_feed_nudge(&l->feed);
	return false;
}

static void live(struct life *l)
{
	mcu_node_boot(&l->node);
	check_boot(l);
	for (uint32_t n = 0; n < MAX_TURNS && !l->broken[0] && l->goal < VERSIONS; n++) {
		if (turn(l)) {
			mcu_node_boot(&l->node);
			check_boot(l);
		}
		if (l->seen.phase == MUE_PHASE_REFUSED)
			broke(l, "version %u refused: %d", l->goal + 1u, l->seen.verdict);
		if (l->seen.phase == MUE_PHASE_DONE && ++l->goal < VERSIONS)
			offer(l);
	}
	if (l->goal < VERSIONS)
		broke(l, "version %u never arrives (phase %u, %d)", l->goal + 1u,
		      l->node.client.phase, l->node.client.verdict);
}

/* Cuts: at operation cut[i] of the i-th power-on. */
static void one_life(struct life *l, const struct mcu_geometry *g, const uint32_t *cut,
		     enum mue_tear tear, struct mcu_tally *t)
{
	static volatile int i; /* outlives longjmp */
	struct mue_bootstate state;
	struct mcu_node *n = &l->node;

	memset(l, 0, sizeof(*l));
	mcu_node_init(n, g, &verifier, rig.vendor, rig.class_id);
	for (int r = 0; r < MCU_REGIONS; r++) {
		n->port[r].sim.count_breaches = true;
		n->port[r].sim.seed = cut[0] * 7919 + cut[1] + 1;
	}
	mcu_node_flash(n, 0, image[0], size_of(0), envelope[0].data, (uint16_t)envelope[0].len);
	mue_bootstate_init(&state, MUE_SLOT_A);
	if (mue_bootstate_confirm(&state, MUE_SLOT_A, NULL) < 0 ||
	    mue_bootstate_store(&n->port[MCU_EEPROM_STATE].flash, &state) < 0)
		broke(l, "the factory's state");
	l->goal = 1;
	offer(l);
	i = 0;
	if (setjmp(n->on_cut)) {
		l->cuts++;
		i++;
	}
	mcu_node_power(n, i < MAX_REBOOT ? cut[i] : 0, tear);
	live(l);
	for (int r = 0; r < MCU_REGIONS; r++)
		if (n->port[r].sim.breaches)
			broke(l, "region %d: rules of flash broken", r);
	if (l->sent > t->payload + l->cuts * RESENT_A_CUT)
		broke(l, "%llu bytes sent", (unsigned long long)l->sent);
	t->lives++;
	t->cuts += l->cuts;
	t->boots += n->boots;
	if (l->sent > t->sent)
		t->sent = l->sent;
	if (!l->broken[0])
		return;
	if (!t->losses++)
		snprintf(t->first, sizeof(t->first), "%s, cut at %u, %u, tear %d: %.100s", g->name,
			 cut[0], cut[1], (int)tear, l->broken);
}

void mcu_life_campaign(const struct mcu_geometry *g, uint32_t doubles, uint64_t max_losses,
		       struct mcu_tally *t)
{
	static struct life l;
	uint32_t cut[MAX_REBOOT + 1] = { 0 }, seed = 1;

	t->payload = 0;
	for (uint8_t v = 1; v < VERSIONS; v++)
		t->payload += size_of(v) + (uint32_t)envelope[v].len;
	one_life(&l, g, cut, MUE_TEAR_BEFORE, t);
	t->ops = l.node.ops;
	for (uint32_t at = 1; at <= t->ops && !(max_losses && t->losses >= max_losses); at++)
		for (int tear = 0; tear < MUE_TEARS; tear++) {
			cut[0] = at;
			one_life(&l, g, cut, (enum mue_tear)tear, t);
		}
	for (uint32_t d = 0; d < doubles && !(max_losses && t->losses >= max_losses); d++) {
		uint32_t cuts = 2 + d % 5;

		for (uint32_t c = 0; c <= MAX_REBOOT; c++) {
			seed = seed * 1664525u + 1013904223u;
			cut[c] = c < cuts ? 1 + (seed >> 8) % (c ? 80 : t->ops) : 0;
		}
		one_life(&l, g, cut, (enum mue_tear)(d % MUE_TEARS), t);
	}
}
