/*
 * The update client with power cut at every flash operation, and again during recovery.  Built once
 * as it is, and once for each mutant (MUTANT: its name): those must lose a life.
 */
#include "tests/sim/mcu_life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_cut_is_survived(void **state)
{
	const char *deep = getenv("MUE_DEEP");
	uint32_t doubles = deep ? (uint32_t)atoi(deep) : 60;
	uint64_t cuts = 0, lives = 0;

	(void)state;
	for (unsigned g = 0; g < mcu_life_geometries_count; g++) {
		struct mcu_tally t = { 0 };

		mcu_life_campaign(&mcu_life_geometries[g], doubles, 0, &t);
		print_message("FIGURE mcu power cuts, %s: %llu lives, %llu cuts, %u operations a "
			      "life, %llu lost; most bytes sent %llu of %u\n",
			      mcu_life_geometries[g].name, (unsigned long long)t.lives,
			      (unsigned long long)t.cuts, t.ops, (unsigned long long)t.losses,
			      (unsigned long long)t.sent, t.payload);
		if (t.losses)
			fail_msg("%s", t.first);
		assert_true(t.ops > 100);
		assert_true(t.cuts >= 4ull * t.ops);
		cuts += t.cuts;
		lives += t.lives;
	}
	assert_true(cuts >= lives);
}

static void mutant_is_caught(void **state)
{
	uint64_t losses = 0;

	(void)state;
	for (unsigned g = 0; g < mcu_life_geometries_count && !losses; g++) {
		struct mcu_tally t = { 0 };

		mcu_life_campaign(&mcu_life_geometries[g], 300, 1, &t);
		losses = t.losses;
		if (losses)
			print_message("FIGURE mcu mutant: %s: caught: %s\n", MUTANT, t.first);
	}
	assert_true(losses > 0);
}

static int setup(void **state)
{
	(void)state;
	return mcu_life_setup();
}

static int teardown(void **state)
{
	(void)state;
	mcu_life_teardown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest whole[] = { cmocka_unit_test(every_cut_is_survived) };
	const struct CMUnitTest mutant[] = { cmocka_unit_test(mutant_is_caught) };

	if (MUTANT[0])
		return cmocka_run_group_tests_name("mcu_mutant", mutant, setup, teardown);
	return cmocka_run_group_tests_name("mcu_cut", whole, setup, teardown);
}
