/* The agent's configuration: what is refused says which key, and what to do. */
#include "agent/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUIRED                                                                       \
	"server = https://updates.example:8443/\nid = lamp-7\ntoken = abc\ntrust = "   \
	"/etc/mue/trust\n"                                                             \
	"state = /var/lib/mue\nvendor = example.com\nclass = lamp\nslot.a = /dev/p1\n" \
	"slot.b = /dev/p2\nbootctl = sim:/boot/state\n"

static const struct {
	const char *says, *text;
	int verdict;
	const char *words; /* in the error's sentence */
} rows[] = {
	{ "the required keys are enough", REQUIRED, 0, "" },
	{ "comments, blanks and CRLF are passed over", "# c\r\n\n  \t\n" REQUIRED "tries = 5 \r\n",
	  0, "" },
	{ "an unknown key is named with its line", REQUIRED "slotc = x\n", MUE_EFORMAT,
	  "f:11: slotc: no such key" },
	{ "a key given twice", REQUIRED "id = other\n", MUE_EFORMAT, "f:11: id: given twice" },
	{ "a line without =", REQUIRED "battery\n", MUE_EFORMAT, "no `=` in the line" },
	{ "a number out of range says the range", REQUIRED "tries = 0\n", MUE_EINVAL,
	  "a number from 1 to 255" },
	{ "a negative number", REQUIRED "retry = -1\n", MUE_EINVAL, "retry: not a number" },
	{ "a number with rubbish", REQUIRED "poll = 3x\n", MUE_EINVAL, "poll: not a number" },
	{ "a unit where none belongs", REQUIRED "poll = 3K\n", MUE_EINVAL, "poll: not a number" },
	{ "a size beyond 64 bits", REQUIRED "slot.size = 99999999T\n", MUE_EINVAL, "slot.size" },
	{ "a missing key says what to write", "id = x\n", MUE_ENODATA,
	  "server is missing; remedy: server = https://HOST" },
	{ "two identities", REQUIRED "gateway = g\n", MUE_EINVAL, "more than one identity" },
	{ "a key without a certificate", REQUIRED "key = /k\n", MUE_EINVAL, "key: without cert" },
	{ "a boot control that is not known",
	  "bootctl = grub:/x\nserver = https://h\nid = i\n"
	  "token = t\ntrust = t\nstate = s\nvendor = v\n"
	  "class = c\nslot.a = a\nslot.b = b\n",
	  MUE_EINVAL, "remedy: sim:FILE or file:FILE" },
	{ "file: needs a way to reboot",
	  "bootctl = file:/x\nserver = https://h\nid = i\n"
	  "token = t\ntrust = t\nstate = s\nvendor = v\n"
	  "class = c\nslot.a = a\nslot.b = b\n",
	  MUE_EINVAL, "reboot: missing" },
	{ "the same slot twice",
	  "bootctl = sim:/x\nserver = https://h\nid = i\ntoken = t\n"
	  "trust = t\nstate = s\nvendor = v\nclass = c\nslot.a = a\n"
	  "slot.b = a\n",
	  MUE_EINVAL, "the same as slot.a" },
	{ "an id that would break a URL",
	  "bootctl = sim:/x\nserver = https://h\nid = a/b\n"
	  "token = t\ntrust = t\nstate = s\nvendor = v\nclass = c\n"
	  "slot.a = a\nslot.b = b\n",
	  MUE_EINVAL, "id: not usable" },
	{ "a server that is no URL",
	  "bootctl = sim:/x\nserver = ftp://h\nid = a\ntoken = t\n"
	  "trust = t\nstate = s\nvendor = v\nclass = c\nslot.a = a\n"
	  "slot.b = b\n",
	  MUE_EINVAL, "server: not a URL" },
};

static void each_text_gives_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_error e = { 0 };
		struct mue_config c;
		int r = mue_config_parse("f", rows[i].text, strlen(rows[i].text), &c, &e);

		if (r != rows[i].verdict || !strstr(e.text, rows[i].words))
			fail_msg("%s: got %d \"%s\"", rows[i].says, r, e.text);
	}
}

static void values_and_presets_arrive(void **state)
{
	static const char text[] = REQUIRED "slot.size = 64M\nhealth = a b  c \n";
	struct mue_error e = { 0 };
	struct mue_config c;

	(void)state;
	assert_int_equal(mue_config_parse("f", text, strlen(text), &c, &e), 0);
	assert_string_equal(c.server, "https://updates.example:8443");
	assert_string_equal(c.tenant, "DEFAULT");
	assert_string_equal(c.health, "a b  c");
	assert_string_equal(c.spool, "/var/lib/mue/spool");
	assert_string_equal(c.envelopes, "/var/lib/mue/envelopes");
	assert_int_equal(c.slot_size, 64u << 20);
	assert_int_equal(c.tries, 3);
}

static void a_refused_text_leaves_the_result_alone(void **state)
{
	struct mue_config c, before;

	(void)state;
	memset(&c, 0x5a, sizeof(c));
	before = c;
	assert_int_equal(mue_config_parse("f", "x", 1, &c, NULL), MUE_EFORMAT);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void a_long_value_and_a_long_line_are_refused(void **state)
{
	char text[2048];
	struct mue_error e = { 0 };
	struct mue_config c;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "id = ", 5);
	assert_int_equal(mue_config_parse("f", text, 400, &c, &e), MUE_EINVAL);
	assert_non_null(strstr(e.text, "too long"));
	assert_int_equal(mue_config_parse("f", text, sizeof(text), &c, &e), MUE_EFORMAT);
	assert_int_equal(mue_config_parse("f", "id = a\0b", 8, &c, &e), MUE_EFORMAT);
}

static void the_help_names_every_key(void **state)
{
	static const char *const names[] = { "server", "slot.a", "link.allowed", "keystore" };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	mue_config_help(f);
	fclose(f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(text, names[i]));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_gives_its_verdict),
		cmocka_unit_test(values_and_presets_arrive),
		cmocka_unit_test(a_refused_text_leaves_the_result_alone),
		cmocka_unit_test(a_long_value_and_a_long_line_are_refused),
		cmocka_unit_test(the_help_names_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
