/*
 * The real boot section of the ATmega128, with the real example application, in simavr: what boots,
 * what does not and why, and what a power cut at any flash or EEPROM operation leaves behind.
 */
#include "core/crc.h"
#include "core/err.h"
#include "tests/boot/avr_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <simavr/sim_avr.h>

static struct avr_device dev;
static struct avr_image a1, b2, work;

static int setup(void **state)
{
	const struct rig_release r1 = { .sequence = 1, .counter = 1 };
	const struct rig_release r2 = { .sequence = 2, .counter = 2 };

	(void)state;
	if (avr_open(&dev) < 0)
		return -1;
	return avr_image(&dev, 0, "VER1", &r1, &a1) || avr_image(&dev, 1, "VER2", &r2, &b2);
}

static int teardown(void **state)
{
	(void)state;
	avr_close(&dev);
	return 0;
}

/* A confirmed in A, at floor 1; a trial of B when asked for. */
static void arrange(const struct avr_image *a, const struct avr_image *b, bool trial)
{
	struct mue_bootstate s;

	avr_factory(&dev);
	if (a)
		avr_put(&dev, 0, a);
	if (b)
		avr_put(&dev, 1, b);
	mue_bootstate_init(&s, MUE_SLOT_A);
	s.image[0] = MUE_IMAGE_GOOD;
	s.counter = 1;
	if (trial)
		assert_int_equal(mue_bootstate_request_trial(&s, 0, 1, 3, 2), MUE_OK);
	assert_int_equal(avr_state_store(&dev, &s), MUE_OK);
	dev.m->cut_at = dev.m->skip_at = 0;
	dev.m->breaches = 0;
}

static void boots(const char *says, const char *banner)
{
	char got[16];

	avr_boot(&dev, got);
	if (strcmp(got, banner) != 0)
		fail_msg("%s: booted \"%s\", not \"%s\" (%s)", says, got, banner, dev.m->said);
	if (dev.m->breaches)
		fail_msg("%s: %u breaches: %s", says, dev.m->breaches, dev.m->breach);
}

static void boots_either_slot(void **state)
{
	struct mue_bootstate s;

	(void)state;
	arrange(&a1, NULL, false);
	boots("slot A with B erased", "app A VER1");
	/* A is erased, so an interrupt that went to slot A's vectors would be seen. */
	arrange(NULL, &b2, true);
	boots("slot B on trial with A erased", "app B VER2");
	assert_int_equal(avr_state_load(&dev, &s), MUE_OK);
	assert_int_equal(s.tries, 2);
	assert_int_equal(s.begun, 1);
}

enum spoil {
	NOTHING,
	IMAGE_BIT,
	LAST_BYTE,
	SIGNATURE_BIT,
	NO_FOOTER,
	LONGER,
	SHORTER,
	MANIFEST_BIT,
	DIGEST_BIT,
	LENGTH_MAX
};

static void spoil(struct avr_image *i, enum spoil how)
{
	uint8_t *env = i->bytes + AVR_FOOTER + 2;
	uint32_t len = i->envelope;

	switch (how) {
	case IMAGE_BIT:
		i->bytes[100] ^= 0x10;
		break;
	case LAST_BYTE:
		i->bytes[i->size - 1] ^= 1;
		break;
	case SIGNATURE_BIT:
		env[600] ^= 4;
		break;
	case NO_FOOTER:
		memset(i->bytes + AVR_FOOTER, 0xff, AVR_SLOT_SIZE - AVR_FOOTER);
		break;
	case LONGER:
		len++;
		break;
	case SHORTER:
		len--;
		break;
	case MANIFEST_BIT:
		env[len - 60] ^= 1;
		break;
	case DIGEST_BIT:
		env[14] ^= 1;
		break;
	case LENGTH_MAX:
		len = AVR_SLOT_SIZE - AVR_FOOTER - 1;
		break;
	case NOTHING:
	default:
		break;
	}
	if (how != NO_FOOTER) {
		i->bytes[AVR_FOOTER] = (uint8_t)len;
		i->bytes[AVR_FOOTER + 1] = (uint8_t)(len >> 8);
	}
}

static void names_every_verdict(void **state)
{
	static uint8_t large[AVR_FOOTER + 1];
	/* clang-format off */
	static const struct {
		const char *says;
		struct rig_release rel;
		enum spoil how;
		int verdict;
	} rows[] = {
		{ "a good image runs", { 2, 2, 0, NULL, 0, 0, 0, 0 }, NOTHING, 0 },
		{ "a flipped bit in the image", { 2, 2, 0, NULL, 0, 0, 0, 0 }, IMAGE_BIT, MUE_EDIGEST },
		{ "a flipped bit in its last byte", { 2, 2, 0, NULL, 0, 0, 0, 0 }, LAST_BYTE, MUE_EDIGEST },
		{ "a flipped bit in the signature", { 2, 2, 0, NULL, 0, 0, 0, 0 }, SIGNATURE_BIT, MUE_ESIGNATURE },
		{ "no signature at all", { 2, 2, 0, NULL, 0, 0, 0, 1 }, NOTHING, MUE_ESIGNATURE },
		{ "another vendor's", { 2, 2, 0, NULL, 0, 1, 0, 0 }, NOTHING, MUE_EVENDOR },
		{ "another class's", { 2, 2, 0, NULL, 0, 0, 1, 0 }, NOTHING, MUE_ECLASS },
		{ "linked for no slot", { 2, 2, -1, NULL, 0, 0, 0, 0 }, NOTHING, MUE_EADDRESS },
		{ "linked for another slot", { 2, 2, 7, NULL, 0, 0, 0, 0 }, NOTHING, MUE_EADDRESS },
		{ "below the rollback counter", { 2, 0, 0, NULL, 0, 0, 0, 0 }, NOTHING, MUE_ECOUNTER },
		{ "larger than its place", { 2, 2, 1, large, sizeof(large), 0, 0, 0 }, NOTHING, MUE_ESIZE },
		{ "no footer", { 2, 2, 0, NULL, 0, 0, 0, 0 }, NO_FOOTER, MUE_ENODATA },
		{ "a footer longer than its room", { 2, 2, 0, NULL, 0, 0, 0, 0 }, LENGTH_MAX, MUE_ENODATA },
		{ "a byte behind the envelope", { 2, 2, 0, NULL, 0, 0, 0, 0 }, LONGER, MUE_EFORMAT },
		{ "an envelope cut short", { 2, 2, 0, NULL, 0, 0, 0, 0 }, SHORTER, MUE_ETRUNC },
		{ "a manifest digest that differs", { 2, 2, 0, NULL, 0, 0, 0, 0 }, DIGEST_BIT, MUE_EDIGEST },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_bootstate s;

		assert_int_equal(avr_image(&dev, 1, "VER2", &rows[i].rel, &work), 0);
		spoil(&work, rows[i].how);
		arrange(&a1, &work, true);
		boots(rows[i].says, rows[i].verdict ? "app A VER1" : "app B VER2");
		assert_int_equal(avr_state_load(&dev, &s), MUE_OK);
		if (s.verdict != rows[i].verdict)
			fail_msg("%s: the verdict is %d, not %d", rows[i].says, s.verdict,
				 rows[i].verdict);
	}
}

static void falls_back_when_the_active_image_rots(void **state)
{
	struct mue_bootstate s;

	(void)state;
	arrange(&a1, &b2, true);
	boots("the trial", "app B VER2");
	dev.m->flash[200] ^= 1; /* while B is on trial, A rots */
	mue_bootstate_init(&s, MUE_SLOT_A);
	s.image[0] = s.image[1] = MUE_IMAGE_GOOD;
	memset(dev.m->eeprom, 0xff, AVR128_EEPROM);
	assert_int_equal(avr_state_store(&dev, &s), MUE_OK);
	boots("the other good image", "app B VER2");
	assert_int_equal(avr_state_load(&dev, &s), MUE_OK);
	assert_int_equal(s.active, MUE_SLOT_B);
	assert_int_equal(s.image[0], MUE_IMAGE_BAD);
	assert_int_equal(s.reason, MUE_BOOT_REFUSED);
	assert_int_equal(s.verdict, MUE_EDIGEST);
	boots("and stays there", "app B VER2");
}

static void survives_any_journal(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		arrange(&a1, NULL, false);
		srand(5);
		for (uint32_t i = 0; i < AVR128_EEPROM; i++)
			if (kind != 3 || i >= AVR_STATE + 16)
				dev.m->eeprom[i] = kind == 0   ? 0
						   : kind == 1 ? 0xff
							       : (uint8_t)rand();
		boots("a journal of junk", "app A VER1");
	}
}

static void comes_back_from_an_image_that_hangs(void **state)
{
	struct mue_bootstate s;
	char banner[16];

	(void)state;
	/* rjmp .-2 at the reset vector, correctly signed. */
	memset(&work, 0xff, sizeof(work));
	{
		static uint8_t hang[64] = { 0xff, 0xcf };
		const struct rig_release rel = { 2, 2, 1, hang, sizeof(hang), 0, 0, 0 };

		assert_int_equal(avr_image(&dev, 1, "VER2", &rel, &work), 0);
		memcpy(work.bytes, hang, sizeof(hang));
	}
	arrange(&a1, &work, true);
	/* The watchdog resets the machine by itself: one power-on, three tries, then A. */
	dev.m->native_sha = dev.sha;
	avr_boot(&dev, banner);
	for (int i = 0; i < 4 && !banner[0]; i++) {
		enum avr128_stop stop = avr128_run(dev.m, 60000000);
		const char *at = strstr(dev.m->said, "app ");

		if (stop == AVR128_SAID && at)
			snprintf(banner, sizeof(banner), "%.10s", at);
	}
	assert_string_equal(banner, "app A VER1");
	assert_int_equal(avr_state_load(&dev, &s), MUE_OK);
	assert_int_equal(s.reason, MUE_BOOT_EXHAUSTED);
	assert_int_equal(s.image[1], MUE_IMAGE_BAD);
}

/* ---- the recovery link ---- */

static uint8_t recovery_frame(const uint8_t *frame, size_t len)
{
	uint8_t bytes[1 + 3 + AVR128_PAGE + 4];
	uint32_t crc = mue_crc32(0, frame, len);
	size_t at;

	bytes[0] = 'M';
	memcpy(bytes + 1, frame, len);
	for (size_t i = 0; i < 4; i++)
		bytes[1 + len + i] = (uint8_t)(crc >> (8 * i));
	at = dev.m->said_len;
	dev.m->input = bytes;
	dev.m->input_len = len + 5;
	for (int i = 0; i < 10000 && dev.m->said_len == at; i++)
		avr128_run(dev.m, 1000);
	return (uint8_t)dev.m->said[at];
}

static void recovers_over_the_link(void **state)
{
	uint8_t frame[3 + AVR128_PAGE] = { 'W', 0, 0 };
	char banner[16];

	(void)state;
	arrange(NULL, NULL, false);
	avr_boot(&dev, banner);
	assert_string_equal(dev.m->said, "R");
	for (uint32_t page = 0; page < AVR_SLOT_SIZE / AVR128_PAGE; page++) {
		memcpy(frame + 3, a1.bytes + page * AVR128_PAGE, AVR128_PAGE);
		frame[2] = (uint8_t)page;
		assert_int_equal(recovery_frame(frame, sizeof(frame)), 0);
		avr128_run(dev.m, 10000); /* its next 'R' */
	}
	frame[1] = 2; /* there is no third slot: the boot section cannot be reached */
	assert_int_equal((int8_t)recovery_frame(frame, sizeof(frame)), MUE_EPERM);
	avr128_run(dev.m, 10000);
	frame[1] = 1;
	frame[2] = AVR_SLOT_SIZE / AVR128_PAGE;
	assert_int_equal((int8_t)recovery_frame(frame, sizeof(frame)), MUE_EPERM);
	avr128_run(dev.m, 10000);
	frame[0] = 'X'; /* answered, and nothing else */
	assert_int_equal(recovery_frame(frame, 3), 0);
	avr128_run(dev.m, 10000);
	frame[0] = 'B';
	assert_int_equal(recovery_frame(frame, 3), 0);
	dev.m->said_len = 0;
	dev.m->until_text = " ready\n";
	assert_int_equal(avr128_run(dev.m, 60000000), AVR128_SAID);
	assert_non_null(strstr(dev.m->said, "app A VER1 ready"));
	assert_int_equal(dev.m->breaches, 0);
}

/* ---- the service ---- */

static void service_guards_the_flash(void **state)
{
	uint8_t page[3 + AVR128_PAGE + 4] = { 'P', 0, 0 };
	uint32_t crc;
	int8_t v = 1;

	(void)state;
	arrange(&a1, &b2, false);
	boots("A", "app A VER1");
	crc = mue_crc32(0, page + 1, 2 + AVR128_PAGE);
	for (size_t i = 0; i < 4; i++)
		page[3 + AVR128_PAGE + i] = (uint8_t)(crc >> (8 * i));
	/* B holds an image that was never begun to be overwritten; unknown counts as open. */
	assert_int_equal(avr_command(&dev, page, sizeof(page), &v), AVR128_SAID);
	assert_int_equal(v, 0);
	page[2] = 0xf0; /* behind the slot: would be the boot section or the other slot */
	crc = mue_crc32(0, page + 1, 2 + AVR128_PAGE);
	for (size_t i = 0; i < 4; i++)
		page[3 + AVR128_PAGE + i] = (uint8_t)(crc >> (8 * i));
	assert_int_equal(avr_command(&dev, page, sizeof(page), &v), AVR128_SAID);
	assert_int_equal(v, MUE_EPERM);
	assert_int_equal(dev.m->breaches, 0);
	assert_memory_equal(dev.m->flash, a1.bytes, AVR_SLOT_SIZE);
}

/* ---- power cuts ---- */

struct tally {
	unsigned lives, cuts;
};

static void check_cut_state(const char *banner, uint32_t cut, int tear)
{
	struct mue_bootstate s;

	if (strcmp(banner, "app A VER1") != 0 && strcmp(banner, "app B VER2") != 0)
		fail_msg("cut at %u (%d): booted \"%s\", said \"%s\"", cut, tear, banner,
			 dev.m->said);
	if (memcmp(dev.m->flash, a1.bytes, AVR_SLOT_SIZE) != 0)
		fail_msg("cut at %u (%d): the running slot was changed", cut, tear);
	if (avr_state_load(&dev, &s) < 0 || s.counter > (banner[4] == 'B' ? 2u : 1u))
		fail_msg("cut at %u (%d): the journal or its floor is wrong", cut, tear);
	if (dev.m->breaches)
		fail_msg("cut at %u (%d): %s", cut, tear, dev.m->breach);
}

/* One power-on of the update's life.  True when version 2 is confirmed. */
static bool live(uint32_t cut, int tear, bool *cut_now)
{
	enum avr128_stop stop;
	struct mue_bootstate s;
	char banner[16];
	int8_t v = 1;

	*cut_now = false;
	stop = avr_boot(&dev, banner);
	if (stop == AVR128_CUT) {
		*cut_now = true;
		return false;
	}
	check_cut_state(banner, cut, tear);
	assert_int_equal(avr_state_load(&dev, &s), MUE_OK);
	if (banner[4] == 'B' && s.trial == MUE_SLOT_NONE)
		return true;
	stop = banner[4] == 'B' ? avr_command(&dev, (const uint8_t *)"C", 1, &v)
				: avr_send_image(&dev, &b2, &v);
	*cut_now = stop == AVR128_CUT;
	if (stop != AVR128_CUT && (stop != AVR128_SAID || v != 0))
		fail_msg("cut at %u (%d): a command ended with %d, verdict %d", cut, tear, stop, v);
	return false;
}

/* From the factory to version 2 confirmed.  `cut` counts from the first power-on over them all;
 * `again`: a second cut that many operations after the next power-on.  Returns the operations. */
static uint32_t life(uint32_t cut, int tear, uint32_t again, struct tally *t)
{
	uint32_t before = 0;
	bool cut_now, second = again > 0, done;

	arrange(&a1, NULL, false);
	t->lives++;
	for (int boot = 0; boot < 9; boot++) {
		dev.m->cut_at = cut > before ? cut - before : 0;
		dev.m->tear = (enum avr128_tear)tear;
		done = live(cut, tear, &cut_now);
		before += dev.m->ops;
		if (cut_now) {
			t->cuts++;
			cut = second ? before + again : 0;
			second = false;
		}
		if (done)
			return before;
	}
	fail_msg("cut at %u (%d): version 2 never came", cut, tear);
	return 0;
}

static uint32_t sampling(void)
{
	return getenv("MUE_DEEP") ? 1 : 9;
}

static void survives_a_cut_at_every_operation(void **state)
{
	struct tally t = { 0, 0 };
	uint32_t ops = life(0, 0, 0, &t), step = sampling(), n = 0;

	(void)state;
	assert_true(ops > 100);
	for (uint32_t cut = 1; cut <= ops; cut++)
		for (int tear = 0; tear < AVR128_TEARS; tear++)
			if (n++ % step == 0)
				life(cut, tear, 0, &t);
	for (uint32_t cut = 1; cut <= ops; cut += step == 1 ? 3 : 40)
		for (uint32_t again = 1; again <= 40; again += step == 1 ? 3 : 13)
			life(cut, (int)(cut + again) % AVR128_TEARS, again, &t);
	print_message(
		"# FIGURE ATmega128 in simavr: %u operations in an update, %u power cuts in %u "
		"lives, every %u. operation and tear, 0 losses\n",
		ops, t.cuts, t.lives, step);
	assert_true(t.cuts >= ops * AVR128_TEARS / step);
}

/* ---- figures, and the shortcut's equality ---- */

static void native_hash_changes_nothing(void **state)
{
	uint64_t began;
	char banner[16];

	(void)state;
	for (int bad = 0; bad < 2; bad++) {
		work = b2;
		spoil(&work, bad ? SIGNATURE_BIT : NOTHING);
		arrange(&a1, &work, true);
		dev.m->native_sha = 0;
		dev.m->paint = true;
		began = dev.m->avr->cycle;
		avr_boot(&dev, banner);
		assert_string_equal(banner, bad ? "app A VER1" : "app B VER2");
		if (!bad) {
			uint32_t low = 0x110 + 544 + 525;

			while (low < AVR128_RAM_END && dev.m->avr->data[low] == AVR128_PAINT)
				low++;
			print_message(
				"# FIGURE ATmega128: verify and boot %.1f M cycles for an image "
				"of %u bytes (%.1f s at 8 MHz), deepest stack %u bytes\n",
				(double)(dev.m->avr->cycle - began) / 1e6, b2.size,
				(double)(dev.m->avr->cycle - began) / 8e6, AVR128_RAM_END - low);
			assert_true(AVR128_RAM_END - low < 1500);
		}
		dev.m->paint = false;
		dev.m->native_sha = dev.sha;
	}
}

/* simavr frees little of what it allocates. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libsimavr";
}

/* ---- skipping one instruction during the verification ---- */

static uint32_t first_at[AVR128_FLASH / 2], last_at[AVR128_FLASH / 2];

/* Boots with the instruction at `at` skipped; true when the bad image on trial in B ran. */
static bool runs_bad(const struct avr_image *bad, uint32_t at, uint64_t cycles)
{
	arrange(&a1, bad, true);
	avr128_power_on(dev.m);
	dev.m->input_len = 0;
	dev.m->until_text = " ready\n";
	dev.m->until_pc = AVR128_SLOT_B;
	dev.m->skip_at = at;
	return avr128_run(dev.m, cycles) == AVR128_REACHED || strstr(dev.m->said, "app B");
}

/* In a process of its own: a program gone wild takes simavr's memory with it. */
static bool bypassed(const struct avr_image *bad, uint32_t at, uint64_t cycles)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(runs_bad(bad, at, cycles) ? 1 : 0);
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void skipping_an_instruction_bypasses_nothing(void **state)
{
	unsigned tried = 0, through = 0, step = getenv("MUE_DEEP") ? 1 : 97, n = 0;
	uint64_t cycles;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		work = b2;
		spoil(&work, kind ? SIGNATURE_BIT : IMAGE_BIT);
		memset(first_at, 0, sizeof(first_at));
		memset(last_at, 0, sizeof(last_at));
		dev.m->first_at = first_at;
		dev.m->last_at = last_at;
		cycles = dev.m->avr->cycle;
		assert_false(runs_bad(&work, 0, 60000000));
		cycles = (dev.m->avr->cycle - cycles) * 5 / 4;
		dev.m->first_at = NULL;
		for (uint32_t word = AVR128_BOOT / 2; word < AVR128_FLASH / 2; word++) {
			uint32_t at[2] = { first_at[word], last_at[word] };

			for (int k = 0; k < 2; k++) {
				if (!at[k] || (k && at[0] == at[1]) || n++ % step)
					continue;
				tried++;
				if (!bypassed(&work, at[k], cycles))
					continue;
				through++;
				print_message("# bypass: kind %d, pc %05x, instruction %u\n", kind,
					      word * 2, at[k]);
			}
		}
	}
	dev.m->skip_at = dev.m->until_pc = 0;
	print_message("# FIGURE ATmega128: %u instruction skips tried during verification, %u "
		      "bypassed it\n",
		      tried, through);
	assert_true(tried > 8000 / step);
	assert_int_equal(through, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_either_slot),
		cmocka_unit_test(names_every_verdict),
		cmocka_unit_test(falls_back_when_the_active_image_rots),
		cmocka_unit_test(survives_any_journal),
		cmocka_unit_test(comes_back_from_an_image_that_hangs),
		cmocka_unit_test(recovers_over_the_link),
		cmocka_unit_test(service_guards_the_flash),
		cmocka_unit_test(survives_a_cut_at_every_operation),
		cmocka_unit_test(native_hash_changes_nothing),
		cmocka_unit_test(skipping_an_instruction_bypasses_nothing),
	};

	return cmocka_run_group_tests_name("avr_boot", tests, setup, teardown);
}
