/*
 * A payload streams into its place while the power is cut at every single write and sync, and then
 * again while it recovers.  After each cut a new session continues and completes; it never says
 * that the place holds the image when it does not.
 */
#include "agent/installers/sim.h"
#include "agent/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE  (96 * 1024 + 321)
#define PLACE (128 * 1024)

/* Both media behind one power switch, and an image. */
struct rig {
	struct mue_sim_power power;
	struct mue_sim_medium place, journal;
	struct mue_installer slot, log;
	uint8_t image[SIZE], digest[32], key[32];
};

static void *zeroed(size_t n)
{
	void *p = calloc(1, n);

	assert_non_null(p);
	return p;
}

static void make_medium(struct rig *rig, struct mue_sim_medium *m, uint64_t size)
{
	m->power = &rig->power;
	m->size = size;
	m->now = zeroed(size);
	m->safe = zeroed(size);
	m->dirty = zeroed(size / MUE_SIM_SECTOR * sizeof(bool));
	m->rot = false;
}

static int rig_up(void **state)
{
	struct rig *rig = zeroed(sizeof(*rig));

	make_medium(rig, &rig->place, PLACE);
	make_medium(rig, &rig->journal, MUE_SESSION_JOURNAL);
	mue_installer_sim_init(&rig->slot, &rig->place);
	mue_installer_sim_init(&rig->log, &rig->journal);
	for (size_t i = 0; i < SIZE; i++)
		rig->image[i] = (uint8_t)(i * 2654435761u >> 13);
	mue_hash_sha256(rig->image, SIZE, rig->digest);
	memset(rig->key, 7, sizeof(rig->key));
	*state = rig;
	return 0;
}

static int rig_down(void **state)
{
	struct rig *rig = *state;
	struct mue_sim_medium *media[] = { &rig->place, &rig->journal };

	for (size_t i = 0; i < 2; i++) {
		free(media[i]->now);
		free(media[i]->safe);
		free(media[i]->dirty);
	}
	free(rig);
	return 0;
}

/* Empty media, power on. */
static void wipe(struct rig *rig)
{
	struct mue_sim_medium *media[] = { &rig->place, &rig->journal };

	for (size_t i = 0; i < 2; i++) {
		memset(media[i]->now, 0, media[i]->size);
		memset(media[i]->safe, 0, media[i]->size);
		memset(media[i]->dirty, 0, media[i]->size / MUE_SIM_SECTOR * sizeof(bool));
	}
	memset(&rig->power, 0, sizeof(rig->power));
}

/* One life of an installing process; *ret_from: where it continued. */
static int live(struct rig *rig, uint64_t *ret_from)
{
	struct mue_session s;
	int r = mue_session_open(&s, &rig->slot, &rig->log, rig->key, SIZE, NULL);

	if (r < 0)
		return r;
	s.note_every = 4096; /* so that a small image meets every kind of record */
	s.sync_every = 32768;
	*ret_from = s.offset;
	if (s.offset > 0)
		assert_memory_equal(rig->place.now, rig->image, s.offset);
	while (r == 0 && s.offset < SIZE) {
		size_t n = SIZE - s.offset < 3000 ? (size_t)(SIZE - s.offset) : 3000;

		r = mue_session_write(&s, rig->image + s.offset, n, NULL);
	}
	if (r == 0)
		r = mue_session_finish(&s, rig->digest, NULL);
	if (r == 0) /* the promise: it is there, and a power cut now does not take it away */
		assert_memory_equal(rig->place.safe, rig->image, SIZE);
	mue_session_close(&s);
	return r;
}

static void power_on(struct rig *rig)
{
	struct mue_sim_medium *const media[] = { &rig->place, &rig->journal };

	mue_sim_power_on(&rig->power, media, 2);
}

static void an_uncut_life_installs(void **state)
{
	struct rig *rig = *state;
	uint64_t from = 1;

	wipe(rig);
	assert_int_equal(live(rig, &from), 0);
	assert_int_equal(from, 0);
	assert_int_equal(live(rig, &from), 0); /* again: nothing is left to do */
	assert_int_equal(from, SIZE);
}

static void every_cut_is_survived(void **state)
{
	struct rig *rig = *state;
	unsigned cuts = 0, resumed = 0;
	uint64_t from;

	for (uint64_t at = 1;; at++) {
		int r;

		wipe(rig);
		rig->power.seed = at * 7919;
		rig->power.cut_at = at;
		r = live(rig, &from);
		if (r == 0)
			break;
		cuts++;
		power_on(rig);
		assert_int_equal(live(rig, &from), 0);
		resumed += from > 0;
	}
	print_message(
		"# FIGURE session: %u power cuts, %u of them continued from a durable offset\n",
		cuts, resumed);
	assert_true(cuts >= 50);
	assert_true(resumed >= cuts / 3);
}

static void a_cut_during_recovery_is_survived(void **state)
{
	struct rig *rig = *state;
	unsigned cuts = 0;
	uint64_t from;

	for (uint64_t first = 5; first < 56; first += 9) {
		for (uint64_t second = 1;; second++) {
			wipe(rig);
			rig->power.seed = first * 104729 + second;
			rig->power.cut_at = first;
			assert_int_not_equal(live(rig, &from), 0);
			power_on(rig);
			rig->power.operations = 0;
			rig->power.cut_at = second;
			if (live(rig, &from) == 0)
				break;
			cuts++;
			power_on(rig);
			assert_int_equal(live(rig, &from), 0);
		}
	}
	print_message("# FIGURE session: %u power cuts during recovery\n", cuts);
	assert_true(cuts >= 150);
}

/* A process that is killed loses no byte that the system took. */
static void a_killed_process_continues_near_its_end(void **state)
{
	struct rig *rig = *state;
	struct mue_session s;
	uint64_t from = 0;

	wipe(rig);
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, rig->key, SIZE, NULL), 0);
	s.note_every = 4096;
	s.sync_every = 1 << 30;
	for (size_t at = 0; at < 50000; at += 1000)
		assert_int_equal(mue_session_write(&s, rig->image + at, 1000, NULL), 0);
	mue_hash_drop(&s.hash); /* no close: it was killed */
	mue_hash_drop(&s.keeper.back);
	free(s.keeper.buffer);
	assert_int_equal(live(rig, &from), 0);
	assert_in_range(from, 50000 - 4096 - 1000, 50000);
}

static void another_release_starts_at_zero(void **state)
{
	struct rig *rig = *state;
	struct mue_session s;
	uint64_t from;
	uint8_t other[32] = { 9 };

	wipe(rig);
	assert_int_equal(live(rig, &from), 0);
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, other, SIZE, NULL), 0);
	assert_int_equal(s.offset, 0);
	mue_session_close(&s);
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, rig->key, SIZE - 1, NULL), 0);
	assert_int_equal(s.offset, 0);
	mue_session_close(&s);
}

static void wrong_bytes_are_refused_and_forgotten(void **state)
{
	struct rig *rig = *state;
	struct mue_session s;
	struct mue_error e = { 0 };
	uint64_t from = 1;

	wipe(rig);
	rig->image[SIZE / 2] ^= 1;
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, rig->key, SIZE, &e), 0);
	assert_int_equal(mue_session_write(&s, rig->image, SIZE, &e), 0);
	assert_int_equal(mue_session_finish(&s, rig->digest, &e), MUE_EDIGEST);
	mue_session_close(&s);
	rig->image[SIZE / 2] ^= 1;
	assert_int_equal(live(rig, &from), 0);
	assert_int_equal(from, 0);
}

static void a_medium_that_does_not_keep_data_is_found_out(void **state)
{
	struct rig *rig = *state;
	struct mue_error e = { 0 };
	struct mue_session s;

	wipe(rig);
	rig->place.rot = true;
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, rig->key, SIZE, &e), 0);
	assert_int_equal(mue_session_write(&s, rig->image, SIZE, &e), 0);
	assert_int_equal(mue_session_finish(&s, rig->digest, &e), MUE_EDIGEST);
	assert_non_null(strstr(e.text, "read back"));
	mue_session_close(&s);
	rig->place.rot = false;
}

static void too_few_and_too_many_bytes_are_refused(void **state)
{
	struct rig *rig = *state;
	struct mue_session s;

	wipe(rig);
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, rig->key, 100, NULL), 0);
	assert_int_equal(mue_session_write(&s, rig->image, 99, NULL), 0);
	assert_int_equal(mue_session_finish(&s, rig->digest, NULL), MUE_ETRUNC);
	assert_int_equal(mue_session_write(&s, rig->image, 2, NULL), MUE_ESIZE);
	mue_session_close(&s);
	assert_int_equal(mue_session_open(&s, &rig->slot, &rig->log, rig->key, PLACE + 1, NULL),
			 MUE_ESIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_uncut_life_installs),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(a_cut_during_recovery_is_survived),
		cmocka_unit_test(a_killed_process_continues_near_its_end),
		cmocka_unit_test(another_release_starts_at_zero),
		cmocka_unit_test(wrong_bytes_are_refused_and_forgotten),
		cmocka_unit_test(a_medium_that_does_not_keep_data_is_found_out),
		cmocka_unit_test(too_few_and_too_many_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, rig_up, rig_down);
}
