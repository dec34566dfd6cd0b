/*
 * The boot state under power cuts: at every operation of a device's life, in four kinds, then again
 * during the recovery, on eight geometries; and the mutants that must not survive it.
 */
#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"
#include "tests/sim/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A journal whose records are taken without their CRC. */
static int nocrc_load(const struct mue_flash *f, struct mue_bootstate *ret);
static int nocrc_store(const struct mue_flash *f, struct mue_bootstate *s);
#define mue_bootstate_load        nocrc_load
#define mue_bootstate_store       nocrc_store
#define mue_crc32(crc, data, len) get32((const uint8_t *)(data) + (len))
#include "core/bootjournal.c"
#undef mue_bootstate_load
#undef mue_bootstate_store
#undef mue_crc32

/* clang-format off */
static const struct geometry geometries[] = {
	{ "toy, 64-byte blocks",             64,   1,   0xff, false, 1 },
	{ "AVR EEPROM as two 256-byte rings", 256, 1,   0xff, true,  3 },
	{ "AVR flash, 256-byte pages",       512,  256, 0xff, false, 1 },
	{ "STM32L0, erases to zero",         128,  4,   0x00, false, 2 },
	{ "nRF51, 1 KB pages of words",      1024, 4,   0xff, false, 3 },
	{ "STM32G4, 2 KB pages of 8 bytes",  2048, 8,   0xff, false, 5 },
	{ "STM32H7-like, 32-byte units",     1024, 32,  0xff, false, 2 },
	{ "SPI NOR, 4 KB sectors",           4096, 1,   0xff, false, 3 },
};
/* clang-format on */
#define GEOMETRIES (sizeof(geometries) / sizeof(geometries[0]))

static const struct journal real = {
	.name = "real",
	.load = mue_bootstate_load,
	.store = mue_bootstate_store,
	.request_trial = mue_bootstate_request_trial,
};

static uint32_t recovery_depth(void)
{
	const char *deep = getenv("MUE_DEEP");

	return deep ? (uint32_t)strtoul(deep, NULL, 10) : 8;
}

static void survives_every_cut(void **state)
{
	struct tally all = { .lives = 0 };

	(void)state;
	for (size_t i = 0; i < GEOMETRIES; i++) {
		struct tally t = { .lives = 0 };

		life_campaign(&geometries[i], &real, recovery_depth(), 1, &t);
		if (t.losses)
			fail_msg("%s: %s", geometries[i].name, t.first);
		print_message("# %s: %llu lives, %llu cuts, %u erases in an uncut life\n",
			      geometries[i].name, (unsigned long long)t.lives,
			      (unsigned long long)t.cuts, t.max_erases);
		assert_true(t.cuts > 1600);
		all.lives += t.lives;
		all.cuts += t.cuts;
		all.boots += t.boots;
	}
	print_message("# FIGURE boot state: %llu power cuts in %llu lives, %llu boots, 0 losses\n",
		      (unsigned long long)all.cuts, (unsigned long long)all.lives,
		      (unsigned long long)all.boots);
	assert_true(all.cuts > 15000);
}

/* ---- mutants ---- */

/* Both blocks are the same memory: erase, then write, with nothing to fall back on. */
static const struct mue_flash *one_block(const struct mue_flash *f, struct mue_flash *ret);

static int fold_read(const struct mue_flash *f, uint32_t off, void *buf, uint32_t len)
{
	const struct mue_flash *below = f->ctx;

	return below->ops->read(below, off % f->erase_size, buf, len);
}

static int fold_write(const struct mue_flash *f, uint32_t off, const void *buf, uint32_t len)
{
	const struct mue_flash *below = f->ctx;

	return below->ops->write(below, off % f->erase_size, buf, len);
}

static int fold_erase(const struct mue_flash *f, uint32_t off)
{
	const struct mue_flash *below = f->ctx;

	return below->ops->erase(below, off % f->erase_size);
}

static const struct mue_flash *one_block(const struct mue_flash *f, struct mue_flash *ret)
{
	static const struct mue_flash_ops ops = { fold_read, fold_write, fold_erase };
	union {
		const struct mue_flash *in;
		void *out;
	} ctx = { .in = f };

	*ret = *f;
	ret->ops = &ops;
	ret->ctx = ctx.out;
	return ret;
}

static int one_block_load(const struct mue_flash *f, struct mue_bootstate *ret)
{
	struct mue_flash fold;

	return mue_bootstate_load(one_block(f, &fold), ret);
}

static int one_block_store(const struct mue_flash *f, struct mue_bootstate *s)
{
	struct mue_flash fold;

	return mue_bootstate_store(one_block(f, &fold), s);
}

/* Raises the floor when the trial is asked for, not when it is confirmed. */
static int early_counter(struct mue_bootstate *s, uint8_t policy, uint8_t slot, uint8_t tries,
			 uint32_t counter)
{
	int e = mue_bootstate_request_trial(s, policy, slot, tries, counter);

	if (e == MUE_OK)
		s->counter = counter;
	return e;
}

/* Never erases: writes on from the beginning when the block is full. */
static int no_erase(const struct mue_flash *f, uint32_t off)
{
	(void)f;
	(void)off;
	return MUE_OK;
}

static int missing_erase_store(const struct mue_flash *f, struct mue_bootstate *s)
{
	struct mue_flash_ops ops = *f->ops;
	struct mue_flash lazy = *f;

	ops.erase = no_erase;
	lazy.ops = &ops;
	return mue_bootstate_store(&lazy, s);
}

/* A torn place is taken for free: the next record goes over it. */
static int over_torn_store(const struct mue_flash *f, struct mue_bootstate *s)
{
	uint8_t rec[256];
	struct found at;
	int e = scan(f, &at);

	if (e < 0 || !at.state.sequence || (at.off + stride_of(f)) % f->erase_size == 0)
		return mue_bootstate_store(f, s);
	s->sequence++;
	memset(rec, f->erased, sizeof(rec));
	encode(rec, s);
	put32(rec + REC_BODY, mue_crc32(0, rec, REC_BODY));
	return f->ops->write(f, at.off + stride_of(f), rec, stride_of(f));
}

static void catches_the_mutants(void **state)
{
	/* clang-format off */
	static const struct journal mutants[] = {
		{ "one block: erased, then written", one_block_load, one_block_store, mue_bootstate_request_trial, false },
		{ "a record without CRC", nocrc_load, nocrc_store, mue_bootstate_request_trial, false },
		{ "the counter before the confirm", mue_bootstate_load, mue_bootstate_store, early_counter, false },
		{ "the trial started before its try is stored", mue_bootstate_load, mue_bootstate_store, mue_bootstate_request_trial, true },
		{ "a missing erase", mue_bootstate_load, missing_erase_store, mue_bootstate_request_trial, false },
		{ "a record written over a torn one", mue_bootstate_load, over_torn_store, mue_bootstate_request_trial, false },
	};
	/* clang-format on */
	size_t caught = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++) {
		struct tally t = { .lives = 0 };

		life_campaign(&geometries[4], &mutants[i], 2, 0, &t);
		print_message("# FIGURE mutant \"%s\": %llu of %llu lives fail, first: %s\n",
			      mutants[i].name, (unsigned long long)t.losses,
			      (unsigned long long)t.lives, t.first);
		if (!t.losses)
			fail_msg("the mutant \"%s\" survived", mutants[i].name);
		caught++;
	}
	assert_int_equal(caught, 6);
}

/* ---- what only the journal can get wrong ---- */

static void ignores_junk(void **state)
{
	static uint8_t memory[2048];
	struct mue_bootstate s, t;
	struct mue_flash_sim sim;

	(void)state;
	mue_flash_sim_init(&sim, memory, 2, 1024, 4, 0xff);
	srand(7);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(memory); i++)
			memory[i] = round == 0 ? 0 : round == 1 ? 0xff : (uint8_t)rand();
		assert_int_equal(mue_bootstate_load(&sim.flash, &s), MUE_ENODATA);
		mue_bootstate_init(&s, MUE_SLOT_B);
		s.counter = 0x01020304;
		assert_int_equal(mue_bootstate_store(&sim.flash, &s), MUE_OK);
		assert_int_equal(mue_bootstate_load(&sim.flash, &t), MUE_OK);
		assert_memory_equal(&s, &t, sizeof(s));
	}
}

static void refuses_every_flipped_bit(void **state)
{
	static uint8_t memory[2048];
	struct mue_bootstate s, t;
	struct mue_flash_sim sim;
	unsigned refused = 0;

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	mue_flash_sim_init(&sim, memory, 2, 1024, 4, 0xff);
	mue_bootstate_init(&s, MUE_SLOT_A);
	assert_int_equal(mue_bootstate_store(&sim.flash, &s), MUE_OK);
	for (unsigned bit = 0; bit < 8 * MUE_BOOTSTATE_RECORD; bit++) {
		memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused += mue_bootstate_load(&sim.flash, &t) == MUE_ENODATA;
		memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(refused, 8 * MUE_BOOTSTATE_RECORD);
}

static void guards_its_edges(void **state)
{
	static uint8_t memory[2048];
	struct mue_bootstate s, stale;
	struct mue_flash_sim sim;
	struct mue_flash bad;

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	mue_flash_sim_init(&sim, memory, 2, 1024, 4, 0xff);
	mue_bootstate_init(&s, MUE_SLOT_A);
	assert_int_equal(mue_bootstate_store(&sim.flash, &s), MUE_OK);
	stale = s;
	assert_int_equal(mue_bootstate_store(&sim.flash, &s), MUE_OK);
	assert_int_equal(mue_bootstate_store(&sim.flash, &stale), MUE_ECONFLICT);
	assert_int_equal(stale.sequence, 1);

	bad = sim.flash;
	bad.write_size = 3;
	assert_int_equal(mue_bootstate_load(&bad, &s), MUE_EINVAL);
	bad.write_size = 512;
	assert_int_equal(mue_bootstate_load(&bad, &s), MUE_EINVAL);
	bad = sim.flash;
	bad.erase_size = 2048;
	assert_int_equal(mue_bootstate_load(&bad, &s), MUE_EINVAL);
	bad = sim.flash;
	bad.erase_size = 32;
	assert_int_equal(mue_bootstate_load(&bad, &s), MUE_EINVAL);
}

/* At the very last sequence nothing is erased and nothing written. */
static void refuses_to_wrap(void **state)
{
	static uint8_t memory[2048], before[2048];
	struct mue_bootstate s;
	struct mue_flash_sim sim;
	uint8_t rec[MUE_BOOTSTATE_RECORD];

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	mue_flash_sim_init(&sim, memory, 2, 1024, 4, 0xff);
	mue_bootstate_init(&s, MUE_SLOT_A);
	s.sequence = 0xffffffff;
	encode(rec, &s);
	put32(rec + REC_BODY, mue_crc32(0, rec, REC_BODY));
	memcpy(memory, rec, sizeof(rec));
	memcpy(before, memory, sizeof(before));
	assert_int_equal(mue_bootstate_load(&sim.flash, &s), MUE_OK);
	assert_int_equal(s.sequence, 0xffffffff);
	assert_int_equal(mue_bootstate_store(&sim.flash, &s), MUE_EEXHAUSTED);
	assert_int_equal(sim.ops, 0);
	assert_memory_equal(memory, before, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_every_cut), cmocka_unit_test(catches_the_mutants),
		cmocka_unit_test(ignores_junk),       cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(guards_its_edges),   cmocka_unit_test(refuses_to_wrap),
	};

	return cmocka_run_group_tests_name("bootstate_cut", tests, NULL, NULL);
}
