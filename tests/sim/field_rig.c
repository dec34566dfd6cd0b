#include "tests/sim/field_rig.h"

#include "core/err.h"
#include "core/suit_p0.h"
#include "host/buf.h"
#include "tests/boot/rig.h"

#include <stdio.h>
#include <string.h>

#define LARGE (MCU_NODE_IMAGE + 4)

const struct mcu_geometry field_rig_avr = { "ATmega128", 256, 256, 8, 256, 1 };

static struct rig rig;
static struct mue_cose_lms lms;
static struct mue_verifier verifier;
static uint8_t image[LARGE], factory[1000];
static struct mue_buf kept[FIELD_KINDS], old;

int field_rig_open(void)
{
	struct rig_release rel = {
		.sequence = 5, .counter = 5, .image = factory, .size = sizeof(factory)
	};

	if (rig_open(&rig) < 0)
		return -1;
	lms = (struct mue_cose_lms){ .pub = mue_key_public(rig.key)->point, .pub_size = 52 };
	verifier = (struct mue_verifier){ &mue_cose_lms_ops, &lms };
	for (uint32_t i = 0; i < LARGE; i++)
		image[i] = (uint8_t)(i * 2654435761u >> 11);
	old.max = 65536;
	return rig_envelope(&rig, &rel, &old);
}

void field_rig_close(void)
{
	for (int i = 0; i < FIELD_KINDS; i++)
		mue_buf_free(&kept[i]);
	mue_buf_free(&old);
	rig_close(&rig);
}

int field_rig_release(enum field_kind kind, uint32_t size, struct field_release *ret)
{
	struct rig_release rel = { .sequence = 6,
				   .counter = 6,
				   .slot = 1,
				   .image = image,
				   .size = kind == FIELD_LARGE ? LARGE : size };
	struct mue_lms_source s = { mue_lms_read_memory, NULL, 0 };
	struct mue_buf *b = &kept[kind];
	struct mue_suit_p0 p0;
	int e;

	rel.other_class = kind == FIELD_OTHER_CLASS;
	rel.other_vendor = kind == FIELD_OTHER_VENDOR;
	rel.unsigned_ = kind == FIELD_UNSIGNED;
	rel.sequence = kind == FIELD_OLD ? 5 : 6;
	rel.counter = kind == FIELD_BELOW ? 4 : kind == FIELD_EXHAUSTED ? 0xffff0001u : 6;
	rel.slot = kind == FIELD_WRONG_SLOT ? 0 : 1;
	mue_buf_free(b);
	*b = (struct mue_buf){ .max = 65536 };
	if (rig_envelope(&rig, &rel, b) < 0)
		return -1;
	s.ctx = b->data;
	s.size = (uint32_t)b->len;
	e = mue_suit_p0_open(&s, &verifier, &p0);
	if (e < 0 && kind != FIELD_UNSIGNED) {
		fprintf(stderr, "field_rig: release %d: %d\n", (int)kind, e);
		return -1;
	}
	if (kind == FIELD_TRAILING && mue_buf_add(b, "tail", 4) < 0)
		return -1;
	*ret = (struct field_release){ .image = image,
				       .envelope = b->data,
				       .size = size,
				       .envelope_len = (uint16_t)b->len,
				       .slot = 1 };
	if (kind == FIELD_OTHER_IMAGE)
		ret->image = image + 4;
	ret->session = (uint16_t)(p0.digest[0] << 8 | p0.digest[1]);
	ret->class_tag = (uint16_t)(rig.class_id[0] << 8 | rig.class_id[1]);
	return 0;
}

void field_rig_nodes(struct field *f, const struct mcu_geometry *g, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++) {
		struct mcu_node *n = &f->node[i];
		struct mue_bootstate s;

		mcu_node_init(n, g, &verifier, rig.vendor, rig.class_id);
		mcu_node_flash(n, 0, factory, sizeof(factory), old.data, (uint16_t)old.len);
		mue_bootstate_init(&s, MUE_SLOT_A);
		mue_bootstate_confirm(&s, MUE_SLOT_A, NULL);
		s.counter = 5;
		mue_bootstate_store(&n->port[MCU_EEPROM_STATE].flash, &s);
	}
}

struct field_params field_rig_params(enum field_mode mode, uint8_t mtu, uint16_t loss)
{
	return (struct field_params){
		.mode = mode,
		/* Assumed: 28 mA at +13 dBm and 11 mA receiving at 3.3 V, about what an SX1276
		 * takes. */
		.radio = { .seed = 7,
			   .bitrate = 1760,
			   .delay_min = 1000,
			   .delay_max = 400000,
			   .loss = loss,
			   .duty = 100,
			   .mtu = mtu,
			   .overhead = 21,
			   .tx_w = 0.0924,
			   .rx_w = 0.0363 },
		.nodes = 1,
		.period = 30000,
		.up = 6,
		.down = 4,
		.down_every = 4,
		.limit = 400ull * 3600 * 1000,
	};
}
