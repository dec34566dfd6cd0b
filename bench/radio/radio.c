/*
 * Energy and bytes of an update by radio: piggyback on the service's packets beside a dedicated
 * window, on the simulated radio (sim/radio.h); and what that means where waking up is what costs.
 * One line a figure, with its ratio.
 *
 * Where the constants come from: DESIGN section 7: a class C radio listens 9-14 times longer than
 * the data lasts; a wake-up costs 0.36 J (LTE-M), 0.20 J (NB-IoT).
 */
#include "tests/sim/field_rig.h"

#include <stdio.h>

static struct field f;

static int run(const struct field_params *p, const struct field_release *rel,
	       struct field_result *ret)
{
	field_rig_nodes(&f, &field_rig_avr, p->nodes);
	field_run(&f, p, rel, ret);
	if (p->mode == FIELD_SERVICE || ret->done == p->nodes)
		return 0;
	fprintf(stderr, "bench/radio: %u of %u nodes done\n", ret->done, p->nodes);
	return -1;
}

/* Joules a node spends on the update: with it, less the same time without. */
static int piggyback_joules(uint8_t mtu, uint16_t loss, const struct field_release *rel,
			    double *ret_joules, struct field_result *ret)
{
	struct field_params p = field_rig_params(FIELD_PIGGYBACK, mtu, loss);
	struct field_result service;

	if (run(&p, rel, ret) < 0)
		return -1;
	p.mode = FIELD_SERVICE;
	p.limit = ret->ms;
	p.past_end = true;
	if (run(&p, rel, &service) < 0)
		return -1;
	*ret_joules = ret->joules - service.joules;
	return 0;
}

static int lora(uint8_t mtu, uint16_t loss, const struct field_release *rel)
{
	struct field_params p = field_rig_params(FIELD_DEDICATED, mtu, loss);
	struct field_result dedicated, piggyback;
	double joules, bytes = (double)rel->size + rel->envelope_len, data_s;
	unsigned percent = loss / 10u;

	if (run(&p, rel, &dedicated) < 0 || piggyback_joules(mtu, loss, rel, &joules, &piggyback))
		return -1;
	data_s = bytes * 8 / p.radio.bitrate;
	printf("FIGURE radio energy, MTU %u, loss %u %%: piggyback %.3f J, dedicated window %.3f "
	       "J, "
	       "ratio %.2f\n",
	       mtu, percent, joules, dedicated.joules, dedicated.joules / joules);
	printf("FIGURE radio listening, MTU %u, loss %u %%: %.0f s for %.0f s of data, ratio %.1f "
	       "(class C: 9-14)\n",
	       mtu, percent, (double)dedicated.ms / 1e3, data_s,
	       (double)dedicated.ms / 1e3 / data_s);
	printf("FIGURE radio bytes, MTU %u, loss %u %%: piggyback %.0f, of the update %.0f, ratio "
	       "%.2f; in %.1f h\n",
	       mtu, percent, (double)piggyback.update_air, bytes,
	       (double)piggyback.update_air / bytes, (double)piggyback.ms / 3.6e6);
	return 0;
}

/* 60 kB in bursts of 4 kB: a wake-up for each of them, or none beside the service's own. */
static void cellular(const char *name, double wake, double bit_s, double watt)
{
	double bursts = 15, data = 61440.0 * 8 / bit_s * watt;

	printf("FIGURE %s, 60 kB in 15 bursts: own wake-ups %.2f J, on the service's %.2f J, ratio "
	       "%.1f (computed)\n",
	       name, bursts * wake + data, data, (bursts * wake + data) / data);
}

int main(void)
{
	static const uint8_t mtus[] = { 51, 115, 222 };
	struct field_release rel;
	int e = 0;

	if (field_rig_open() < 0 || field_rig_release(FIELD_GOOD, 8000, &rel) < 0)
		return 1;
	for (size_t m = 0; m < sizeof(mtus) && !e; m++)
		e = lora(mtus[m], 0, &rel) || lora(mtus[m], 200, &rel);
	/* Uplink-free rates and powers of the classes: 300 kbit/s and 0.5 W, 25 kbit/s and 0.25 W.
	 */
	cellular("LTE-M", 0.36, 300e3, 0.5);
	cellular("NB-IoT", 0.20, 25e3, 0.25);
	field_rig_close();
	return e ? 1 : 0;
}
