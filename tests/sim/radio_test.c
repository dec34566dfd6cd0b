/* The simulated radio itself, and updates broadcast over it: clean, lossy, to many nodes. */
#include "core/err.h"
#include "tests/sim/field_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 3000u

static struct field f;

static void radio_counts_time_and_energy(void **state)
{
	struct radio_params p = { .seed = 1,
				  .bitrate = 8000,
				  .duty = 100,
				  .mtu = 50,
				  .overhead = 10,
				  .tx_w = 2,
				  .rx_w = 1 };
	static struct radio r;
	uint8_t buf[RADIO_MTU] = { 0 }, from;

	(void)state;
	radio_init(&r, &p);
	assert_int_equal(radio_airtime(&r, 40), 50000);
	assert_int_equal(radio_send(&r, 0, 1, 0, buf, 51), MUE_ESIZE);
	assert_int_equal(radio_send(&r, 0, 1, 0, buf, 40), MUE_OK);
	assert_int_equal(radio_send(&r, 0, 1, 0, buf, 1), MUE_EBUSY);
	assert_int_equal(radio_receive(&r, 1, buf, &from), 0);
	radio_advance(&r, 50000);
	assert_int_equal(radio_receive(&r, 1, buf, &from), 40);
	assert_int_equal(from, 0);
	radio_advance(&r, 449999);
	assert_int_equal(radio_send(&r, 0, 1, 0, buf, 1), MUE_EBUSY);
	radio_advance(&r, 1);
	assert_int_equal(radio_send(&r, 0, 1, 0, buf, 40), MUE_OK);
	assert_true(radio_joules(&r, 0) > 0.1999 && radio_joules(&r, 0) < 0.2001);
	assert_true(radio_joules(&r, 1) > 0.0999 && radio_joules(&r, 1) < 0.1001);
}

static void radio_loses_and_reorders(void **state)
{
	struct radio_params p = { .seed = 3,
				  .bitrate = 1000000,
				  .duty = 1000,
				  .mtu = 50,
				  .loss = 250,
				  .delay_max = 100000 };
	static struct radio r;
	uint8_t buf[RADIO_MTU] = { 0 }, from, last = 0;
	uint32_t got = 0, turned = 0;

	(void)state;
	radio_init(&r, &p);
	for (int n = 0; n < 2000; n++) {
		buf[0] = (uint8_t)n;
		assert_int_equal(radio_send(&r, 0, 1, 0, buf, 4), MUE_OK);
		radio_advance(&r, 10000);
		while (radio_receive(&r, 1, buf, &from)) {
			got++;
			turned += (uint8_t)(buf[0] - last) > 128;
			last = buf[0];
		}
	}
	assert_in_range(got, 1400, 1600);
	assert_true(turned > 100);
}

static void run(enum field_mode mode, uint8_t mtu, uint16_t loss, uint8_t nodes,
		const struct field_release *rel, struct field_result *ret)
{
	struct field_params p = field_rig_params(mode, mtu, loss);

	p.nodes = nodes;
	field_rig_nodes(&f, &field_rig_avr, nodes);
	field_run(&f, &p, rel, ret);
}

static void lossy_links_complete(void **state)
{
	static const uint8_t mtus[] = { 11, 24, 51, 115, 222 };
	static const uint16_t losses[] = { 0, 100, 200, 400 };
	struct field_release rel;
	uint32_t complete = 0;

	(void)state;
	assert_int_equal(field_rig_release(FIELD_GOOD, SIZE, &rel), 0);
	for (size_t m = 0; m < sizeof(mtus); m++)
		for (size_t l = 0; l < 4; l++) {
			struct field_result r;

			run(FIELD_DEDICATED, mtus[m], losses[l], 1, &rel, &r);
			print_message("FIGURE radio: MTU %u, loss %u %%: %.2f bytes on air a byte "
				      "of update (%llu of %u)\n",
				      mtus[m], losses[l] / 10,
				      (double)r.air / (double)(rel.size + rel.envelope_len),
				      (unsigned long long)r.air, rel.size + rel.envelope_len);
			if (!r.done)
				fail_msg("MTU %u, loss %u: phase %u, verdict %d", mtus[m],
					 losses[l], f.node[0].client.phase,
					 f.node[0].client.verdict);
			complete++;
			if (!losses[l])
				assert_true(r.update_air < (uint64_t)(mtus[m] == 11 ? 3 : 2) *
								   (rel.size + rel.envelope_len));
		}
	assert_int_equal(complete, 20);
}

static void broadcast_repairs_one_by_one(void **state)
{
	struct field_release rel;
	struct field_result one, many;

	(void)state;
	assert_int_equal(field_rig_release(FIELD_GOOD, SIZE, &rel), 0);
	run(FIELD_DEDICATED, 115, 0, 12, &rel, &many);
	run(FIELD_DEDICATED, 115, 0, 1, &rel, &one);
	assert_int_equal(many.done, 12);
	print_message("FIGURE broadcast to 12 nodes, no loss: %.2f times the bytes of one node\n",
		      (double)many.air / (double)one.air);
	assert_true(many.air < 2 * one.air);
	run(FIELD_DEDICATED, 115, 200, 12, &rel, &many);
	run(FIELD_DEDICATED, 115, 200, 1, &rel, &one);
	assert_int_equal(many.done, 12);
	print_message(
		"FIGURE broadcast to 12 nodes, loss 20 %%: %.2f times the bytes of one node\n",
		(double)many.air / (double)one.air);
	assert_true(many.air < 8 * one.air);
}

struct refusal {
	const char *says;
	enum field_kind kind;
	int verdict;
	bool payload; /* only the payload shows it */
};

static const struct refusal refusals[] = {
	{ "made for another class", FIELD_OTHER_CLASS, MUE_ECLASS, false },
	{ "made for another vendor", FIELD_OTHER_VENDOR, MUE_EVENDOR, false },
	{ "the sequence that runs", FIELD_OLD, MUE_EOLD, false },
	{ "below the rollback counter", FIELD_BELOW, MUE_ECOUNTER, false },
	{ "a counter that leaves no room", FIELD_EXHAUSTED, MUE_EEXHAUSTED, false },
	{ "linked for the slot that runs", FIELD_WRONG_SLOT, MUE_EADDRESS, false },
	{ "larger than the slot", FIELD_LARGE, MUE_ESIZE, false },
	{ "a tail behind the envelope", FIELD_TRAILING, MUE_EFORMAT, false },
	{ "another image than was signed", FIELD_OTHER_IMAGE, MUE_EDIGEST, true },
};

static void refuses_before_the_payload(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *w = &refusals[i];
		struct field_release rel;
		struct field_result r;

		assert_int_equal(field_rig_release(w->kind, SIZE, &rel), 0);
		run(FIELD_DEDICATED, 115, 50, 1, &rel, &r);
		if (r.refused != 1 || r.verdict != w->verdict)
			fail_msg("%s: refused %u, verdict %d", w->says, r.refused, r.verdict);
		if (!w->payload && f.node[0].port[MCU_SLOT_B].sim.ops)
			fail_msg("%s: the slot was touched", w->says);
		if (f.node[0].client.sequence != 5)
			fail_msg("%s: something else runs", w->says);
	}
}

static int setup(void **state)
{
	(void)state;
	return field_rig_open();
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
		cmocka_unit_test(radio_counts_time_and_energy),
		cmocka_unit_test(radio_loses_and_reorders),
		cmocka_unit_test(lossy_links_complete),
		cmocka_unit_test(broadcast_repairs_one_by_one),
		cmocka_unit_test(refuses_before_the_payload),
	};

	return cmocka_run_group_tests_name("radio", tests, setup, teardown);
}
