/*
 * The bootloader's two small readers against core's full ones: boot/p0.c and core/suit_p0.c must
 * take and refuse the same envelopes, boot/lms.c and core/lms.c the same signatures; over every
 * truncation and every flipped bit.
 */
#include "boot/boot.h"
#include "boot/p0.h"
#include "core/err.h"
#include "core/suit_p0.h"
#include "tests/boot/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[2][BOARD_SLOT_SIZE];
static struct rig rig;
static struct mue_boot_identity identity;
static struct mue_buf envelope = { .max = 65536 };

/* The board. */
void mue_board_read(uint8_t slot, board_off_t off, void *buf, uint8_t len)
{
	assert_true(slot < 2 && len > 0 && off + len <= BOARD_SLOT_SIZE);
	memcpy(buf, memory[slot] + off, len);
}

uint8_t mue_board_token(uint8_t slot)
{
	return (uint8_t)(slot + 1);
}

void mue_board_kick(void)
{
}

void mue_board_identity(struct mue_boot_identity *ret)
{
	*ret = identity;
}

static int setup(void **state)
{
	static const uint8_t image[1000] = { 1, 2, 3 };
	const struct rig_release rel = {
		.sequence = 70000, .counter = 300, .slot = 1, .image = image, .size = sizeof(image)
	};

	(void)state;
	if (rig_open(&rig) < 0 || rig_envelope(&rig, &rel, &envelope) < 0)
		return -1;
	memcpy(identity.pub, mue_key_public(rig.key)->point, sizeof(identity.pub));
	memcpy(identity.vendor, rig.vendor, 16);
	memcpy(identity.class_id, rig.class_id, 16);
	memcpy(memory[1], image, sizeof(image));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mue_buf_free(&envelope);
	rig_close(&rig);
	return 0;
}

static int by_boot(const uint8_t *bytes, size_t len, struct mue_boot_p0 *ret)
{
	struct mue_boot_range where = { .off = BOARD_FOOTER, .len = (uint16_t)len, .slot = 1 };

	memcpy(memory[1] + BOARD_FOOTER, bytes, len);
	ret->proof[0] = 0;
	return mue_boot_p0_open(&identity, &where, ret);
}

/* Core leaves identity to its caller: the same comparison here. */
static int by_core(const uint8_t *bytes, size_t len, struct mue_suit_p0 *ret)
{
	struct mue_cose_lms key = { identity.pub, sizeof(identity.pub), 0, NULL };
	struct mue_verifier v = { &mue_cose_lms_ops, &key };
	struct mue_lms_source s = { mue_lms_read_memory, bytes, (uint32_t)len };
	int e = mue_suit_p0_open(&s, &v, ret);

	if (e < 0)
		return e;
	if (memcmp(ret->vendor, identity.vendor, 16) != 0)
		return MUE_EVENDOR;
	return memcmp(ret->class_id, identity.class_id, 16) ? MUE_ECLASS : MUE_OK;
}

static void reads_the_same(void **state)
{
	struct mue_boot_p0 b;
	struct mue_suit_p0 c;

	(void)state;
	assert_int_equal(by_core(envelope.data, envelope.len, &c), MUE_OK);
	assert_int_equal(by_boot(envelope.data, envelope.len, &b), MUE_OK);
	assert_int_equal(b.proof[0], MUE_BOOT_PROOF_SIGNATURE);
	assert_int_equal(b.sequence, 70000);
	assert_int_equal(b.counter, 300);
	assert_int_equal(b.slot, 1);
	assert_int_equal(b.size, 1000);
	assert_int_equal(c.sequence, b.sequence);
	assert_int_equal(c.counter, b.counter);
	assert_int_equal(c.slot, b.slot);
	assert_int_equal(c.size, b.size);
	assert_memory_equal(c.image, b.image, 32);
	assert_memory_equal(c.digest, b.digest, 32);
	assert_int_equal(mue_boot_verify(1, 0, &b), MUE_ENODATA); /* no length stands there */
}

static void compare(const uint8_t *bytes, size_t len, const char *what, size_t at)
{
	struct mue_boot_p0 b;
	struct mue_suit_p0 c;
	int eb = by_boot(bytes, len, &b), ec = by_core(bytes, len, &c);

	if ((eb == 0) != (ec == 0))
		fail_msg("%s %zu: the bootloader says %d, core %d", what, at, eb, ec);
	if (eb == 0)
		fail_msg("%s %zu: taken", what, at);
	/* A signature that does not hold is never called proven. */
	if (eb == MUE_ESIGNATURE)
		assert_int_not_equal(b.proof[0], MUE_BOOT_PROOF_SIGNATURE);
}

static void refuses_every_truncation(void **state)
{
	(void)state;
	for (size_t len = 0; len < envelope.len; len++)
		compare(envelope.data, len, "truncation", len);
}

/* All bits outside the signature; every 37th inside it, which costs a verification each. */
static void refuses_every_flipped_bit(void **state)
{
	static uint8_t bytes[4096];
	size_t flips = 0;

	(void)state;
	assert_true(envelope.len <= sizeof(bytes));
	for (size_t bit = 0; bit < 8 * envelope.len; bit++) {
		bool signature = bit / 8 > 80 && bit / 8 < envelope.len - 200;

		if (signature && bit % 37)
			continue;
		memcpy(bytes, envelope.data, envelope.len);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* The kid is a hint: core looks it up, the bootloader has one key. */
		if (by_boot(bytes, envelope.len, &(struct mue_boot_p0){ .size = 0 }) == 0 &&
		    bit / 8 > 48 && bit / 8 < 80)
			continue;
		compare(bytes, envelope.len, "bit", bit);
		flips++;
	}
	assert_true(flips > 2200);
	print_message("# FIGURE P0 readers: %zu flipped bits and %zu truncations refused alike\n",
		      flips, envelope.len);
}

static void verifies_a_slot(void **state)
{
	struct mue_boot_p0 p;

	(void)state;
	memory[1][BOARD_FOOTER] = (uint8_t)envelope.len;
	memory[1][BOARD_FOOTER + 1] = (uint8_t)(envelope.len >> 8);
	memcpy(memory[1] + BOARD_FOOTER + 2, envelope.data, envelope.len);
	assert_int_equal(mue_boot_verify(1, 300, &p), MUE_OK);
	assert_int_equal(p.proof[0], MUE_BOOT_PROOF_SIGNATURE);
	assert_int_equal(p.proof[1], MUE_BOOT_PROOF_IMAGE);
	assert_int_equal(mue_boot_verify(1, 301, &p), MUE_ECOUNTER);
	memory[1][999] ^= 0x80;
	assert_int_equal(mue_boot_verify(1, 300, &p), MUE_EDIGEST);
	assert_int_not_equal(p.proof[1], MUE_BOOT_PROOF_IMAGE);
	memory[1][999] ^= 0x80;
	memcpy(memory[0], memory[1], BOARD_SLOT_SIZE);
	assert_int_equal(mue_boot_verify(0, 0, &p), MUE_EADDRESS);
	memset(identity.pub, 0xff, sizeof(identity.pub)); /* an erased key trusts nobody */
	assert_int_equal(mue_boot_verify(1, 0, &p), MUE_ESIGNATURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_same),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(verifies_a_slot),
	};

	return cmocka_run_group_tests_name("boot_p0", tests, setup, teardown);
}
