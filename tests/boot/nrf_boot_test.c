/*
 * The real bootloader of the nRF51, with the real example application, in Unicorn: what boots, what
 * does not and why, and a power cut at page erases and words written of a whole update.
 */
#include "core/bootstate.h"
#include "core/crc.h"
#include "core/err.h"
#include "sim/elf32.h"
#include "sim/flash_sim.h"
#include "sim/nrf51.h"
#include "tests/boot/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* boards/nrf51/layout.h, as the outside sees it. */
#define SLOT_SIZE 0x1d000u
#define FOOTER    0x1c400u
#define STATE     0x3e000u
#define IDENTITY  0x3fc00u
static const uint32_t slot_base[2] = { 0x04000, 0x21000 };

struct image {
	uint8_t bytes[SLOT_SIZE];
	uint32_t size, envelope, counter;
};

static struct nrf51_machine *m;
static struct rig rig;
static struct image a1, b2, work;
static char folder[256];

static void factory(void)
{
	char path[300];

	memset(m->flash, 0xff, NRF51_FLASH);
	snprintf(path, sizeof(path), "%s/boot.elf", folder);
	if (elf32_load(path, m->flash, NRF51_FLASH) < 0)
		abort();
	memcpy(m->flash + IDENTITY, mue_key_public(rig.key)->point, 52);
	memcpy(m->flash + IDENTITY + 52, rig.vendor, 16);
	memcpy(m->flash + IDENTITY + 68, rig.class_id, 16);
}

static int make_image(uint8_t slot, const char *version, const struct rig_release *rel,
		      struct image *ret)
{
	struct rig_release r = *rel;
	struct mue_buf env = { .max = 2000 };
	uint8_t *at;
	char path[300];

	factory();
	snprintf(path, sizeof(path), "%s/app_%c.elf", folder, "ab"[slot]);
	if (elf32_load(path, m->flash, NRF51_FLASH) < 0)
		return -1;
	memcpy(ret->bytes, m->flash + slot_base[slot], SLOT_SIZE);
	at = memmem(ret->bytes, FOOTER, "VER1", 4);
	if (!at)
		return -1;
	memcpy(at, version, 4);
	for (ret->size = FOOTER; ret->bytes[ret->size - 1] == 0xff;)
		ret->size--;
	r.image = ret->bytes;
	r.size = ret->size;
	if (rig_envelope(&rig, &r, &env) < 0)
		return -1;
	ret->counter = rel->counter;
	ret->envelope = (uint32_t)env.len;
	ret->bytes[FOOTER] = (uint8_t)env.len;
	ret->bytes[FOOTER + 1] = (uint8_t)(env.len >> 8);
	memcpy(ret->bytes + FOOTER + 2, env.data, env.len);
	mue_buf_free(&env);
	return 0;
}

static int setup(void **state)
{
	const struct rig_release r1 = { .sequence = 1, .counter = 1, .slot = 0 };
	const struct rig_release r2 = { .sequence = 2, .counter = 2, .slot = 1 };
	const char *boards = getenv("MUE_BOARDS");
	char path[300];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/nrf51", boards ? boards : "build/boards");
	snprintf(path, sizeof(path), "%s/boot.elf", folder);
	m = nrf51_new();
	if (!m || rig_open(&rig) < 0)
		return -1;
	m->native_sha = elf32_symbol(path, "mue_sha256_compress") & ~1u;
	if (!m->native_sha) {
		fprintf(stderr, "no %s: make boards\n", path);
		return -1;
	}
	return make_image(0, "VER1", &r1, &a1) || make_image(1, "VER2", &r2, &b2);
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	nrf51_free(m);
	return 0;
}

static void journal(struct mue_flash_sim *sim)
{
	mue_flash_sim_init(sim, m->flash + STATE, 2, NRF51_PAGE, 4, 0xff);
}

static int load(struct mue_bootstate *ret)
{
	struct mue_flash_sim sim;

	journal(&sim);
	return mue_bootstate_load(&sim.flash, ret);
}

static void arrange(const struct image *a, const struct image *b, bool trial)
{
	struct mue_flash_sim sim;
	struct mue_bootstate s;

	factory();
	if (a)
		memcpy(m->flash + slot_base[0], a->bytes, SLOT_SIZE);
	if (b)
		memcpy(m->flash + slot_base[1], b->bytes, SLOT_SIZE);
	journal(&sim);
	mue_bootstate_init(&s, MUE_SLOT_A);
	s.image[0] = MUE_IMAGE_GOOD;
	s.counter = 1;
	if (trial)
		assert_int_equal(mue_bootstate_request_trial(&s, 0, 1, 3, 2), MUE_OK);
	assert_int_equal(mue_bootstate_store(&sim.flash, &s), MUE_OK);
	m->cut_at = 0;
	m->breaches = 0;
}

static enum nrf51_stop boot(char ret_banner[16])
{
	enum nrf51_stop stop;
	const char *at;

	ret_banner[0] = 0;
	nrf51_power_on(m);
	m->until_text = " ready\n";
	stop = nrf51_run(m);
	at = stop == NRF51_SAID ? strstr(m->said, "app ") : NULL;
	if (at)
		snprintf(ret_banner, 16, "%.10s", at);
	return stop;
}

static void boots(const char *says, const char *banner)
{
	char got[16];

	boot(got);
	if (strcmp(got, banner) != 0)
		fail_msg("%s: booted \"%s\", not \"%s\" (%s)", says, got, banner, m->said);
	if (m->breaches)
		fail_msg("%s: %s", says, m->breach);
}

static void boots_either_slot(void **state)
{
	struct mue_bootstate s;

	(void)state;
	arrange(&a1, NULL, false);
	boots("slot A", "app A VER1");
	arrange(NULL, &b2, true);
	boots("slot B on trial with A erased", "app B VER2");
	assert_int_equal(load(&s), MUE_OK);
	assert_int_equal(s.tries, 2);
}

static void names_its_verdicts(void **state)
{
	static const struct {
		const char *says;
		uint32_t at; /* of the byte that is changed */
		int verdict;
	} rows[] = {
		{ "nothing is changed", 0, 0 },
		{ "a bit of the image", 200, MUE_EDIGEST },
		{ "a bit of the signature", FOOTER + 2 + 600, MUE_ESIGNATURE },
		{ "the envelope's length", FOOTER, MUE_ETRUNC },
		{ "the manifest's digest", FOOTER + 2 + 14, MUE_EDIGEST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_bootstate s;

		work = b2;
		if (rows[i].at == FOOTER)
			work.bytes[FOOTER]--;
		else if (rows[i].at)
			work.bytes[rows[i].at] ^= 1;
		arrange(&a1, &work, true);
		boots(rows[i].says, rows[i].verdict ? "app A VER1" : "app B VER2");
		assert_int_equal(load(&s), MUE_OK);
		if (s.verdict != rows[i].verdict)
			fail_msg("%s: the verdict is %d, not %d", rows[i].says, s.verdict,
				 rows[i].verdict);
	}
	arrange(NULL, NULL, false);
	boots("nothing boots: the recovery link", "");
	assert_string_equal(m->said, "R");
}

static void the_real_hash_gives_the_same(void **state)
{
	uint32_t sha = m->native_sha;

	(void)state;
	m->native_sha = 0;
	arrange(&a1, &b2, true);
	boots("a good image", "app B VER2");
	work = b2;
	work.bytes[FOOTER + 2 + 600] ^= 1;
	arrange(&a1, &work, true);
	boots("a bad signature", "app A VER1");
	m->native_sha = sha;
}

/* Sends a command; *ret_verdict only when it was answered. */
static enum nrf51_stop command(const uint8_t *bytes, size_t len, int8_t *ret_verdict)
{
	enum nrf51_stop stop;

	m->said_len = 0;
	m->until_text = NULL;
	m->input = bytes;
	m->input_len = len;
	stop = nrf51_run(m);
	if (stop == NRF51_IDLE && m->said_len == 2 && m->said[0] == '=')
		*ret_verdict = (int8_t)m->said[1];
	return stop;
}

static enum nrf51_stop send_page(const struct image *i, uint32_t page, int8_t *ret_verdict)
{
	uint8_t frame[3 + NRF51_PAGE + 4] = { 'P', (uint8_t)page, (uint8_t)(page >> 8) };
	uint32_t crc;

	memcpy(frame + 3, i->bytes + page * NRF51_PAGE, NRF51_PAGE);
	crc = mue_crc32(0, frame + 1, 2 + NRF51_PAGE);
	for (size_t k = 0; k < 4; k++)
		frame[3 + NRF51_PAGE + k] = (uint8_t)(crc >> (8 * k));
	return command(frame, sizeof(frame), ret_verdict);
}

static enum nrf51_stop send_image(const struct image *i, int8_t *v)
{
	uint8_t trial[5] = { 'T', (uint8_t)i->counter };
	enum nrf51_stop stop = command((const uint8_t *)"B", 1, v);

	for (uint32_t page = 0; page < SLOT_SIZE / NRF51_PAGE; page++) {
		const uint8_t *p = i->bytes + page * NRF51_PAGE;
		bool blank = p[0] == 0xff && !memcmp(p, p + 1, NRF51_PAGE - 1);

		if (stop != NRF51_IDLE || *v != 0)
			return stop;
		if (!blank)
			stop = send_page(i, page, v);
	}
	return stop == NRF51_IDLE && *v == 0 ? command(trial, sizeof(trial), v) : stop;
}

/* One power-on of the update's life.  True when version 2 is confirmed. */
static bool live(uint32_t cut, int tear, bool *cut_now)
{
	struct mue_bootstate s;
	enum nrf51_stop stop;
	char banner[16];
	int8_t v = 1;

	stop = boot(banner);
	*cut_now = stop == NRF51_CUT;
	if (*cut_now)
		return false;
	if (strcmp(banner, "app A VER1") != 0 && strcmp(banner, "app B VER2") != 0)
		fail_msg("cut at %u (%d): booted \"%s\" (%s), stop %d", cut, tear, banner, m->said,
			 stop);
	if (memcmp(m->flash + slot_base[0], a1.bytes, SLOT_SIZE) != 0)
		fail_msg("cut at %u (%d): the running slot was changed", cut, tear);
	if (load(&s) < 0 || s.counter > (banner[4] == 'B' ? 2u : 1u))
		fail_msg("cut at %u (%d): the journal or its floor is wrong", cut, tear);
	if (banner[4] == 'B' && s.trial == MUE_SLOT_NONE)
		return true;
	stop = banner[4] == 'B' ? command((const uint8_t *)"C", 1, &v) : send_image(&b2, &v);
	*cut_now = stop == NRF51_CUT;
	if (!*cut_now && (stop != NRF51_IDLE || v != 0))
		fail_msg("cut at %u (%d): a command ended with %d, verdict %d", cut, tear, stop, v);
	if (m->breaches)
		fail_msg("cut at %u (%d): %s", cut, tear, m->breach);
	return false;
}

static unsigned cuts, lives;

static uint32_t life(uint32_t cut, int tear, uint32_t again)
{
	uint32_t before = 0;
	bool cut_now, second = again > 0, done;

	arrange(&a1, NULL, false);
	lives++;
	for (int n = 0; n < 9; n++) {
		m->cut_at = cut > before ? cut - before : 0;
		m->tear = (enum nrf51_tear)tear;
		done = live(cut, tear, &cut_now);
		before += m->ops;
		if (cut_now) {
			cuts++;
			cut = second ? before + again : 0;
			second = false;
		}
		if (done)
			return before;
	}
	fail_msg("cut at %u (%d): version 2 never came", cut, tear);
	return 0;
}

static void survives_cuts(void **state)
{
	uint32_t ops = life(0, 0, 0), step = getenv("MUE_DEEP") ? 1 : 151, n = 0;

	(void)state;
	assert_true(ops > 600);
	for (uint32_t cut = 1; cut <= ops; cut++)
		for (int tear = 0; tear < NRF51_TEARS; tear++)
			if (n++ % step == 0)
				life(cut, tear, 0);
	/* The journal's words, every one, and again while it recovers. */
	for (uint32_t cut = ops - 24; cut <= ops; cut += step == 1 ? 1 : 4)
		for (uint32_t again = 1; again <= 12; again += step == 1 ? 1 : 5)
			life(cut, (int)(cut + again) % NRF51_TEARS, again);
	print_message("# FIGURE nRF51 in Unicorn: %u operations in an update, %u power cuts in %u "
		      "lives, every %u. operation and tear, 0 losses\n",
		      ops, cuts, lives, step);
	assert_true(cuts >= ops * NRF51_TEARS / step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_either_slot),
		cmocka_unit_test(names_its_verdicts),
		cmocka_unit_test(the_real_hash_gives_the_same),
		cmocka_unit_test(survives_cuts),
	};

	return cmocka_run_group_tests_name("nrf_boot", tests, setup, teardown);
}
