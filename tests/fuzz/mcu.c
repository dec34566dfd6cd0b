/*
 * The microcontroller's client under anything a link may bring: messages in any order, gates that
 * open and shut, resets.  A verifier that says yes lets them get as far as the slot; whatever
 * happens, the running slot stays untouched and the flash's rules are kept (flash_sim aborts).
 * FUZZ_SOURCES: mcu/mcu.c mcu/judge.c mcu/store.c sim/mcu_node.c sim/flash_sim.c
 * FUZZ_SOURCES: core/frame.c core/pieces.c core/crc.c core/sha256.c core/suit_p0.c core/lms.c
 * FUZZ_SOURCES: core/cose_tbs.c core/cbor_write.c core/bootstate.c core/bootjournal.c
 */
#include "core/err.h"
#include "sim/mcu_node.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int yes(const struct mue_verifier *v, const struct mue_cose_id *id,
	       const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	(void)v;
	(void)id;
	(void)tbs;
	(void)sig;
	return 0;
}

static const struct mue_verifier_ops ops = { yes };
static const struct mue_verifier verifier = { &ops, NULL };
static const struct mcu_geometry geometry = { "fuzz", 256, 4, 8, 256, 1 };
static struct mcu_node node;

/* An announcement whose hints are right, so that more than refusals is reached. */
static uint8_t announce(uint8_t *m, const uint8_t *data)
{
	struct mue_frame f = { .type = MUE_FRAME_ANNOUNCE,
			       .session = data[0],
			       .envelope = (uint16_t)(1 + (data[1] | data[2] << 8) % 3000),
			       .size = 1 + data[3] * 32u,
			       .slot = 1 };
	int n = mue_frame_write(&f, m, MUE_PACKET_MAX);

	return (uint8_t)n;
}

static void say(const uint8_t *data, uint8_t len)
{
	uint8_t m[MUE_PACKET_MAX], out[MUE_PACKET_MAX], n = len;
	struct mue_frame back;

	memcpy(m, data, len);
	if (len >= 5 && m[0] == 0xff)
		n = announce(m, data + 1);
	mue_mcu_take(&node.client, m, n);
	for (int i = 0; i < 3; i++)
		if (mue_mcu_step(&node.client) == MUE_EREBOOT)
			break;
	n = mue_mcu_next(&node.client, out, (uint8_t)(11 + len % 200), len & 1);
	if (n && mue_frame_read(out, n, &back) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[16] = { 0 }, image[16] = { 1, 2, 3 };
	struct mue_mcu_room room = { node.bitmap, sizeof(node.bitmap), node.cells, 2 };

	mcu_node_init(&node, &geometry, &verifier, id, id);
	mcu_node_flash(&node, 0, image, sizeof(image), image, 0);
	mcu_node_power(&node, 0, MUE_TEAR_BEFORE);
	node.device.running = MUE_SLOT_A;
	mue_mcu_init(&node.client, &node.device, &room);
	while (size > 1) {
		uint8_t len = data[0] % MUE_PACKET_MAX;

		node.busy = data[0] == 0xfe;
		if (data[0] == 0xff)
			mue_mcu_init(&node.client, &node.device, &room);
		data++;
		size--;
		if (len > size)
			len = (uint8_t)size;
		say(data, len);
		data += len;
		size -= len;
	}
	if (node.port[MCU_SLOT_A].sim.ops)
		abort();
	return 0;
}
