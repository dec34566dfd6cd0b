#include "sim/mcu_node.h"

#include "core/err.h"
#include "core/suit_p0.h"

#include <string.h>

/* Stage: the envelope's data, then its marks, then the payload's. */
#define STAGE_DATA  4096u
#define STAGE_MARKS 4096u

/* ---- flash, counted ---- */

static int port_read(const struct mue_flash *f, uint32_t off, void *buf, uint32_t len)
{
	struct mcu_port *p = f->ctx;

	return p->sim.flash.ops->read(&p->sim.flash, off, buf, len);
}

/* Lets the region's own flash_sim tear the operation when it is the one. */
static void count(struct mcu_port *p)
{
	struct mcu_node *n = p->node;

	if (++n->ops != n->cut_at)
		return;
	p->sim.cut_at = p->sim.ops + 1;
	p->sim.tear = n->tear;
	memcpy(p->sim.on_cut, n->on_cut, sizeof(n->on_cut));
}

static int port_write(const struct mue_flash *f, uint32_t off, const void *buf, uint32_t len)
{
	struct mcu_port *p = f->ctx;

	count(p);
	return p->sim.flash.ops->write(&p->sim.flash, off, buf, len);
}

static int port_erase(const struct mue_flash *f, uint32_t off)
{
	struct mcu_port *p = f->ctx;

	count(p);
	return p->sim.flash.ops->erase(&p->sim.flash, off);
}

static const struct mue_flash_ops port_ops = { port_read, port_write, port_erase };

static void open_port(struct mcu_node *n, enum mcu_node_region r, uint8_t *memory, uint32_t size,
		      uint32_t erase_size, uint16_t write_size)
{
	struct mcu_port *p = &n->port[r];

	memset(memory, 0xff, size);
	mue_flash_sim_init(&p->sim, memory, size / erase_size, erase_size, write_size, 0xff);
	p->flash = p->sim.flash;
	p->flash.ops = &port_ops;
	p->flash.ctx = p;
	p->node = n;
}

/* ---- what the firmware lends its client ---- */

static int state_load(void *ctx, struct mue_bootstate *ret)
{
	struct mcu_node *n = ctx;
	int e = mue_bootstate_load(&n->port[MCU_EEPROM_STATE].flash, ret);

	if (e == MUE_ENODATA) {
		mue_bootstate_init(ret, MUE_SLOT_A);
		e = MUE_OK;
	}
	return e;
}

static int state_store(void *ctx, struct mue_bootstate *s)
{
	struct mcu_node *n = ctx;

	return mue_bootstate_store(&n->port[MCU_EEPROM_STATE].flash, s);
}

static int self_test(void *ctx)
{
	struct mcu_node *n = ctx;

	if (n->sick_seq && n->client.sequence == n->sick_seq)
		return MUE_EHEALTH;
	return n->health;
}

static uint8_t battery(void *ctx)
{
	return ((struct mcu_node *)ctx)->battery;
}

static bool busy(void *ctx)
{
	return ((struct mcu_node *)ctx)->busy;
}

static uint16_t minute(void *ctx)
{
	return ((struct mcu_node *)ctx)->minute;
}

static const struct mue_mcu_ops ops = {
	.state_load = state_load,
	.state_store = state_store,
	.self_test = self_test,
	.battery = battery,
	.busy = busy,
	.minute = minute,
};

void mcu_node_init(struct mcu_node *n, const struct mcu_geometry *g, const struct mue_verifier *v,
		   const uint8_t vendor[16], const uint8_t class_id[16])
{
	memset(n, 0, sizeof(*n));
	n->geometry = g;
	n->verifier = v;
	memcpy(n->vendor, vendor, 16);
	memcpy(n->class_id, class_id, 16);
	n->battery = 100;
	n->minute = 0xffff;
	n->addressed = true;
	open_port(n, MCU_SLOT_A, n->slot[0], MCU_NODE_SLOT, g->erase_size, g->write_size);
	open_port(n, MCU_SLOT_B, n->slot[1], MCU_NODE_SLOT, g->erase_size, g->write_size);
	open_port(n, MCU_EEPROM_STATE, n->state, 2 * g->eeprom_erase, g->eeprom_erase,
		  g->eeprom_write);
	open_port(n, MCU_EEPROM_STAGE, n->stage, sizeof(n->stage), g->eeprom_erase,
		  g->eeprom_write);
	n->device = (struct mue_mcu_device){
		.ops = &ops,
		.ctx = n,
		.verifier = v,
		.vendor = n->vendor,
		.class_id = n->class_id,
		.slot = { &n->port[MCU_SLOT_A].flash, &n->port[MCU_SLOT_B].flash },
		.footer = MCU_NODE_IMAGE,
		.stage = { .data = &n->port[MCU_EEPROM_STAGE].flash,
			   .room = STAGE_DATA,
			   .marks = &n->port[MCU_EEPROM_STAGE].flash,
			   .marks_off = STAGE_DATA,
			   .marks_room = STAGE_MARKS,
			   .grain_log2 = 6 },
		.marks = &n->port[MCU_EEPROM_STAGE].flash,
		.marks_off = STAGE_DATA + STAGE_MARKS,
		.marks_room = STAGE_MARKS,
		.grain_log2 = g->grain_log2,
		.tries = 3,
		.addressed = true,
		.battery_min = 30,
	};
}

void mcu_node_flash(struct mcu_node *n, uint8_t slot, const uint8_t *image, uint32_t size,
		    const uint8_t *envelope, uint16_t envelope_len)
{
	uint8_t *to = n->slot[slot];

	memset(to, 0xff, MCU_NODE_SLOT);
	memcpy(to, image, size);
	to[MCU_NODE_IMAGE] = (uint8_t)envelope_len;
	to[MCU_NODE_IMAGE + 1] = (uint8_t)(envelope_len >> 8);
	memcpy(to + MCU_NODE_IMAGE + 2, envelope, envelope_len);
}

void mcu_node_power(struct mcu_node *n, uint32_t cut_at, enum mue_tear tear)
{
	n->ops = 0;
	n->cut_at = cut_at;
	n->tear = tear;
	for (int r = 0; r < MCU_REGIONS; r++)
		mue_flash_sim_power_on(&n->port[r].sim, 0, tear);
}

/* ---- the loader ---- */

int mcu_node_verify(struct mcu_node *n, uint8_t slot, uint32_t floor, uint32_t *ret_sequence)
{
	const uint8_t *s = n->slot[slot];
	uint32_t len = s[MCU_NODE_IMAGE] | (uint32_t)s[MCU_NODE_IMAGE + 1] << 8;
	struct mue_lms_source env = { mue_lms_read_memory, s + MCU_NODE_IMAGE + 2, len };
	struct mue_suit_p0 p0;
	struct mue_sha256 sha;
	uint8_t digest[32];
	int e;

	if (len > MCU_NODE_SLOT - MCU_NODE_IMAGE - 2)
		return MUE_ENODATA;
	e = mue_suit_p0_open(&env, n->verifier, &p0);
	if (e < 0)
		return e;
	if (memcmp(p0.vendor, n->vendor, 16) || memcmp(p0.class_id, n->class_id, 16))
		return MUE_ECLASS;
	if (p0.slot != slot && p0.slot != MUE_SUIT_P0_ANY)
		return MUE_EADDRESS;
	if (p0.counter < floor)
		return MUE_ECOUNTER;
	if (p0.size > MCU_NODE_IMAGE)
		return MUE_ESIZE;
	mue_sha256_init(&sha);
	mue_sha256_update(&sha, s, p0.size);
	mue_sha256_final(&sha, digest);
	if (memcmp(digest, p0.image, 32) != 0)
		return MUE_EDIGEST;
	*ret_sequence = p0.sequence;
	return MUE_OK;
}

static uint8_t choose(struct mcu_node *n, struct mue_bootstate *s)
{
	uint8_t tried = 0;
	uint32_t sequence;
	int e;

	for (int round = 0; round < 16; round++) {
		mue_bootstate_step(s, n->policy, tried, &n->choice);
		if (n->choice.store && state_store(n, s) < 0) {
			state_load(n, s);
			tried |= MUE_BOOT_NO_STORE;
			continue;
		}
		if (n->choice.slot > MUE_SLOT_B)
			break;
		e = mcu_node_verify(n, n->choice.slot, s->counter, &sequence);
		if (e == MUE_OK)
			return n->choice.slot;
		tried = (uint8_t)(tried | 1u << n->choice.slot);
		if (mue_bootstate_mark_bad(s, n->choice.slot, e))
			state_store(n, s);
	}
	return MUE_SLOT_RECOVERY;
}

int mcu_node_boot(struct mcu_node *n)
{
	struct mue_mcu_room room = { n->bitmap, sizeof(n->bitmap), n->cells, MCU_NODE_CELLS };
	struct mue_bootstate s;
	uint8_t slot;
	int e = state_load(n, &s);

	/* Memory holds what it likes after a reset. */
	memset(&n->client, 0xa5, sizeof(n->client));
	memset(n->bitmap, 0x5a, sizeof(n->bitmap));
	memset(n->cells, 0xc3, sizeof(n->cells));
	if (e < 0)
		return e;
	slot = choose(n, &s);
	n->recovery = slot == MUE_SLOT_RECOVERY;
	if (n->recovery)
		return MUE_ENODATA;
	n->boots++;
	n->device.running = slot;
	n->device.addressed = n->addressed;
	n->device.policy = n->policy;
	return mue_mcu_init(&n->client, &n->device, &room);
}
