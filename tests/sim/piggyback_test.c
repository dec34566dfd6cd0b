/*
 * Piggyback: the service's packets carry the update.  Service data come first and are never later
 * than bounded; a device with all gates shut loses nothing; serial and radio feed one session.
 */
#include "core/err.h"
#include "tests/sim/field_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SIZE 3000u

static struct field f;
static struct field_release rel;

static void run(const struct field_params *p, struct field_result *ret)
{
	field_rig_nodes(&f, &field_rig_avr, p->nodes);
	field_run(&f, p, &rel, ret);
}

/* The same days with and without the update. */
static void service_does_not_suffer(void **state)
{
	static const uint8_t mtus[] = { 24, 51, 115, 222 };

	(void)state;
	for (size_t m = 0; m < sizeof(mtus); m++) {
		struct field_params p = field_rig_params(FIELD_PIGGYBACK, mtus[m], 0);
		struct field_result with, without;
		uint64_t bound;

		p.nodes = 4;
		p.past_end = true;
		p.limit = 30ull * 3600 * 1000;
		run(&p, &with);
		assert_int_equal(with.done, 4);
		p.mode = FIELD_SERVICE;
		run(&p, &without);
		/* An answer is as late as the longest packet is long, and the radio's own delay. */
		bound = radio_airtime(&f.radio, mtus[m]) + p.radio.delay_max + 5000;
		print_message("FIGURE piggyback, MTU %u: worst answer after %.0f ms (service alone "
			      "%.0f, bound %.0f); readings %llu of %llu, answers %llu of %llu, "
			      "late %llu\n",
			      mtus[m], (double)with.latency / 1e3, (double)without.latency / 1e3,
			      (double)bound / 1e3, (unsigned long long)with.readings,
			      (unsigned long long)without.readings,
			      (unsigned long long)with.answers, (unsigned long long)without.answers,
			      (unsigned long long)with.late);
		assert_true(without.readings > 10000 && without.answers > 2000);
		assert_in_range(with.readings, without.readings - 4, without.readings);
		assert_in_range(with.answers, without.answers - 4, without.answers);
		assert_int_equal(with.late, without.late);
		assert_true(with.latency <= bound);
	}
}

static void lossy_piggyback_completes(void **state)
{
	static const uint16_t losses[] = { 0, 100, 200, 400 };

	(void)state;
	for (size_t l = 0; l < 4; l++) {
		struct field_params p = field_rig_params(FIELD_PIGGYBACK, 51, losses[l]);
		struct field_result r;

		run(&p, &r);
		print_message("FIGURE piggyback, MTU 51, loss %u %%: %.2f bytes on air a byte of "
			      "update, %.1f h\n",
			      losses[l] / 10, (double)r.update_air / (rel.size + rel.envelope_len),
			      (double)r.ms / 3.6e6);
		assert_int_equal(r.done, 1);
		assert_true(r.update_air < 5ull * (rel.size + rel.envelope_len));
	}
}

static void serial_and_radio_feed_one_session(void **state)
{
	struct field_params p = field_rig_params(FIELD_PIGGYBACK, 51, 200);
	struct field_result radio, both;

	(void)state;
	run(&p, &radio);
	p.baud = 300;
	p.serial_bad = 2;
	run(&p, &both);
	print_message("FIGURE serial beside radio: %.0f s instead of %.0f s; %llu bytes by serial, "
		      "%llu by radio\n",
		      (double)both.ms / 1e3, (double)radio.ms / 1e3,
		      (unsigned long long)both.serial, (unsigned long long)both.update_air);
	assert_int_equal(both.done, 1);
	assert_true(both.ms < radio.ms);
	assert_true(both.serial > 1000 && both.update_air > 100);
}

static struct mcu_node *shut_node(struct field_params *p)
{
	*p = field_rig_params(FIELD_PIGGYBACK, 115, 0);
	p->limit = 12ull * 3600 * 1000;
	field_rig_nodes(&f, &field_rig_avr, 1);
	return &f.node[0];
}

static void gates_hold(void **state)
{
	struct field_params p;
	struct field_result r;
	struct mcu_node *n;

	(void)state;
	n = shut_node(&p);
	n->battery = 29;
	field_run(&f, &p, &rel, &r);
	assert_int_equal(r.done + r.refused, 0);
	assert_int_equal(f.feed[0].nodes[0].verdict, MUE_EBATTERY);
	assert_int_equal(n->port[MCU_SLOT_B].sim.ops, 0);

	n = shut_node(&p);
	n->busy = true;
	field_run(&f, &p, &rel, &r);
	assert_int_equal(r.done + r.refused, 0);
	assert_int_equal(f.feed[0].nodes[0].verdict, MUE_EBUSY);

	/* Outside its hours it installs, and waits with the reboot. */
	n = shut_node(&p);
	n->device.from = 22 * 60;
	n->device.to = 5 * 60;
	n->minute = 12 * 60;
	field_run(&f, &p, &rel, &r);
	assert_int_equal(r.done, 0);
	assert_int_equal(n->client.phase, MUE_PHASE_READY);
	assert_int_equal(f.feed[0].nodes[0].verdict, MUE_EPERM);
	n->minute = 23 * 60;
	assert_int_equal(mue_mcu_step(&n->client), MUE_EREBOOT);
}

static void sick_image_is_given_up(void **state)
{
	struct field_params p;
	struct field_result r;
	struct mcu_node *n = shut_node(&p);

	(void)state;
	n->sick_seq = 6;
	p.past_end = true; /* the gateway is to hear of it */
	field_run(&f, &p, &rel, &r);
	assert_int_equal(r.refused, 1);
	assert_int_equal(r.verdict, MUE_EHEALTH);
	assert_int_equal(n->client.sequence, 5);
	assert_int_equal(n->device.running, MUE_SLOT_A);
	assert_int_equal(f.feed[0].nodes[0].phase, MUE_PHASE_REFUSED);
	/* Offered again, after a reset: it remembers. */
	field_run(&f, &p, &rel, &r);
	assert_int_equal(r.refused, 1);
	assert_true(r.update_air < 100);
}

static int setup(void **state)
{
	(void)state;
	return field_rig_open() < 0 ? -1 : field_rig_release(FIELD_GOOD, SIZE, &rel);
}

static int teardown(void **state)
{
	(void)state;
	field_rig_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_does_not_suffer),
		cmocka_unit_test(lossy_piggyback_completes),
		cmocka_unit_test(serial_and_radio_feed_one_session),
		cmocka_unit_test(gates_hold),
		cmocka_unit_test(sick_image_is_given_up),
	};

	return cmocka_run_group_tests_name("piggyback", tests, setup, teardown);
}
