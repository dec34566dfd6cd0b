/* The option parser, the stages of a rollout and the components of a release: what they take, what
 * they refuse, and in which words. */
#include "cli/cmd.h"
#include "cli/pack.h"
#include "cli/stages.h"
#include "cli/term.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct values {
	bool flag;
	const char *text, *choice;
	uint64_t number;
	struct mue_strings list;
};

static const struct mue_opt table[] = {
	{ .name = "flag",
	  .letter = 'f',
	  .kind = MUE_OPT_FLAG,
	  .at = offsetof(struct values, flag) },
	{ .name = "text",
	  .letter = 't',
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct values, text),
	  .value = "TEXT",
	  .help = "some text",
	  .required = true },
	{ .name = "choice",
	  .kind = MUE_OPT_CHOICE,
	  .at = offsetof(struct values, choice),
	  .value = "C",
	  .choices = "p0|p1|p2" },
	{ .name = "number",
	  .letter = 'n',
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct values, number),
	  .value = "N",
	  .min = 1,
	  .max = 100,
	  .unset = 7 },
	{ .name = "list", .kind = MUE_OPT_LIST, .at = offsetof(struct values, list), .value = "X" },
	{ .name = NULL },
};

enum { WORDS = 8 };

struct parse_case {
	const char *says;
	const char *argv[WORDS];
	const char *error; /* part of the sentence; NULL: taken */
	const char *text;  /* expected values when taken */
	uint64_t number;
	size_t list, args;
	bool flag;
};

/* clang-format off */
static const struct parse_case parse_cases[] = {
	{ "an option and its value are two words", { "--text", "a" }, NULL, "a", 7, 0, 0, false },
	{ "or one with an equals sign", { "--text=a=b" }, NULL, "a=b", 7, 0, 0, false },
	{ "a letter stands for the long name", { "-t", "a", "-f", "-n", "9" }, NULL, "a", 9, 0, 0, true },
	{ "a letter's value may follow at once", { "-ta" }, NULL, "a", 7, 0, 0, false },
	{ "arguments and options may be mixed", { "x", "-t", "a", "y" }, NULL, "a", 7, 0, 2, false },
	{ "after -- all are arguments", { "-t", "a", "--", "-f", "--text" }, NULL, "a", 7, 0, 2, false },
	{ "a lone dash is an argument", { "-t", "a", "-" }, NULL, "a", 7, 0, 1, false },
	{ "a list collects", { "-t", "a", "--list", "1", "--list=2" }, NULL, "a", 7, 2, 0, false },
	{ "a value may look like an option", { "--text", "--flag" }, NULL, "--flag", 7, 0, 0, false },
	{ "hexadecimal numbers are numbers", { "-t", "a", "-n", "0x1F" }, NULL, "a", 31, 0, 0, false },
	{ "a choice takes its words", { "-t", "a", "--choice", "p1" }, NULL, "a", 7, 0, 0, false },
	{ "what is needed is named", { "-f" }, "--text TEXT is needed: some text", NULL, 0, 0, 0, false },
	{ "a value must be there", { "--text" }, "--text wants a value: TEXT", NULL, 0, 0, 0, false },
	{ "and not be empty", { "--text=" }, "--text wants a value", NULL, 0, 0, 0, false },
	{ "a flag has none", { "--flag=1" }, "--flag takes no value", NULL, 0, 0, 0, false },
	{ "a number too small", { "-t", "a", "-n", "0" }, "--number wants a number from 1 to 100, not \"0\"", NULL, 0, 0, 0, false },
	{ "a number too large", { "-t", "a", "-n", "101" }, "from 1 to 100", NULL, 0, 0, 0, false },
	{ "a number that overflows", { "-t", "a", "-n", "18446744073709551617" }, "from 1 to 100", NULL, 0, 0, 0, false },
	{ "a number with something behind it", { "-t", "a", "-n", "5x" }, "from 1 to 100", NULL, 0, 0, 0, false },
	{ "a number with a sign", { "-t", "a", "-n", "-5" }, "from 1 to 100", NULL, 0, 0, 0, false },
	{ "a word that is no choice", { "-t", "a", "--choice", "p" }, "one of p0|p1|p2, not \"p\"", NULL, 0, 0, 0, false },
	{ "two choices at once are none", { "-t", "a", "--choice", "p0|p1" }, "one of p0|p1|p2", NULL, 0, 0, 0, false },
	{ "a slip is corrected", { "--txet", "a" }, "unknown option --txet; did you mean --text?", NULL, 0, 0, 0, false },
	{ "what is far off is not", { "--frobnicate" }, "unknown option --frobnicate", NULL, 0, 0, 0, false },
	{ "a prefix is no option", { "--tex", "a" }, "did you mean --text?", NULL, 0, 0, 0, false },
	{ "an unknown letter", { "-q" }, "unknown option -q", NULL, 0, 0, 0, false },
};
/* clang-format on */

static void parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *c = &parse_cases[i];
		struct values v = { .flag = false };
		struct mue_optset set = { table, &v };
		struct mue_strings args = { .n = 0 };
		struct mue_error e = { .code = 0 };
		char *argv[WORDS];
		bool help = true;
		int argc = 0, r;

		for (; argc < WORDS && c->argv[argc]; argc++)
			argv[argc] = (char *)(uintptr_t)c->argv[argc];
		r = mue_opt_parse(argc, argv, &set, 1, &args, &help, &e);
		if (c->error) {
			if (r != MUE_EINVAL || !strstr(e.text, c->error))
				fail_msg("%s: got %d \"%s\"", c->says, r, e.text);
			continue;
		}
		if (r != MUE_OK)
			fail_msg("%s: refused: %s", c->says, e.text);
		if (help || strcmp(v.text, c->text) != 0 || v.number != c->number ||
		    v.list.n != c->list || args.n != c->args || v.flag != c->flag)
			fail_msg("%s: got text %s, number %llu, list %zu, args %zu, flag %d",
				 c->says, v.text, (unsigned long long)v.number, v.list.n, args.n,
				 v.flag);
	}
}

static void help_wins_over_everything_needed(void **state)
{
	struct values v = { .flag = false };
	struct mue_optset set = { table, &v };
	struct mue_strings args;
	char word[] = "--help", *argv[] = { word };
	bool help = false;

	(void)state;
	assert_int_equal(mue_opt_parse(1, argv, &set, 1, &args, &help, NULL), MUE_OK);
	assert_true(help);
}

static void a_list_has_a_ceiling(void **state)
{
	struct values v = { .flag = false };
	struct mue_optset set = { table, &v };
	struct mue_strings args;
	char word[] = "--list=x", *argv[MUE_STRINGS_MAX + 1];
	struct mue_error e;
	bool help;

	(void)state;
	for (size_t i = 0; i < MUE_STRINGS_MAX + 1; i++)
		argv[i] = word;
	assert_int_equal(mue_opt_parse(MUE_STRINGS_MAX + 1, argv, &set, 1, &args, &help, &e),
			 MUE_EINVAL);
	assert_non_null(strstr(e.text, "--list given more than 32 times"));
}

/* clang-format off */
static const struct { const char *says, *stages, *error; size_t n; } stage_cases[] = {
	{ "the mission's stages", "bench,1,10%,100%", NULL, 4 },
	{ "all at once", "100%", NULL, 1 },
	{ "several tags", "bench,friends,100%", NULL, 3 },
	{ "the rest must be there", "bench,1", "the last one is 100%", 0 },
	{ "nobody is behind the rest", "100%,1", "after 100% nobody is left", 0 },
	{ "an empty stage", "bench,,100%", "a stage is empty", 0 },
	{ "nothing at all", "", "a stage is empty", 0 },
	{ "no per cent", "0%,100%", "is not a percentage from 1% to 100%", 0 },
	{ "too many per cent", "101%", "is not a percentage", 0 },
	{ "no device", "0,100%", "neither a number of devices", 0 },
	{ "a number with letters", "1x,100%", "neither a number of devices", 0 },
	{ "a tag that would change the filter", "a\";id==*,100%", "is no tag", 0 },
};
/* clang-format on */

static void stages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stage_cases) / sizeof(stage_cases[0]); i++) {
		struct mue_error e = { .code = 0 };
		struct mue_stages s;
		int r = mue_stages_parse(stage_cases[i].stages, &s, &e);

		if (stage_cases[i].error &&
		    (r != MUE_EINVAL || !strstr(e.text, stage_cases[i].error)))
			fail_msg("%s: got %d \"%s\"", stage_cases[i].says, r, e.text);
		if (!stage_cases[i].error && (r != MUE_OK || s.n != stage_cases[i].n))
			fail_msg("%s: got %d \"%s\"", stage_cases[i].says, r, e.text);
	}
}

static void stages_become_groups(void **state)
{
	struct mue_gates gates = { 100, 1, "PAUSE" };
	struct mue_stages s;
	json_t *groups;
	char *text;

	(void)state;
	assert_int_equal(mue_stages_parse("bench,1,30%,100%", &s, NULL), MUE_OK);
	groups = mue_stages_groups(&s, &gates);
	assert_int_equal(json_array_size(groups), 4);
	for (size_t i = 0; i < 4; i++) {
		json_t *g = json_array_get(groups, i);

		assert_string_equal(json_string_value(json_object_get(
					    json_object_get(g, "successCondition"), "expression")),
				    "100");
		json_object_del(g, "successCondition");
		json_object_del(g, "successAction");
		json_object_del(g, "errorCondition");
		json_object_del(g, "errorAction");
	}
	text = json_dumps(groups, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
			    "[{\"name\":\"1: bench\",\"targetFilterQuery\":\"tag==\\\"bench\\\"\","
			    "\"targetPercentage\":100},"
			    "{\"name\":\"2: 1\",\"targetCount\":1,\"targetPercentage\":100},"
			    "{\"name\":\"3: 30%\",\"targetPercentage\":30},"
			    "{\"name\":\"4: 100%\",\"targetPercentage\":100}]");
	free(text);
	json_decref(groups);
}

/* clang-format off */
static const struct {
	const char *says, *text, *error, *kind, *name, *version, *file;
	int slot;
} component_cases[] = {
	{ "kind, name and file", "os:rootfs=a.img", NULL, "os", "rootfs", "", "a.img", -1 },
	{ "with a version", "config:net=net.conf,version=1.2", NULL, "config", "net", "1.2", "net.conf", -1 },
	{ "with a slot", "firmware:app=a.bin,slot=1,version=3", NULL, "firmware", "app", "3", "a.bin", 1 },
	{ "a comma of the file", "os:r=a,b.img", NULL, "os", "r", "", "a,b.img", -1 },
	{ "an equals sign of the file", "os:r=a=b", NULL, "os", "r", "", "a=b", -1 },
	{ "no file", "os:rootfs=", "wants KIND:NAME=FILE", 0, 0, 0, 0, 0 },
	{ "no name", "os=a.img", "wants KIND:NAME=FILE", 0, 0, 0, 0, 0 },
	{ "an unknown kind", "disk:rootfs=a.img", "its kind is one of os|firmware", 0, 0, 0, 0, 0 },
	{ "a name that climbs", "os:../x=a.img", "its name is", 0, 0, 0, 0, 0 },
	{ "a hidden name", "os:.x=a.img", "its name is", 0, 0, 0, 0, 0 },
	{ "a slot out of range", "os:r=a,slot=300", "slot= wants 0 to 255", 0, 0, 0, 0, 0 },
	{ "an empty version", "os:r=a,version=", "version= wants", 0, 0, 0, 0, 0 },
};
/* clang-format on */

static void components(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(component_cases) / sizeof(component_cases[0]); i++) {
		struct mue_error e = { .code = 0 };
		struct mue_component_arg a;
		int r = mue_component_parse(component_cases[i].text, &a, &e);

		if (component_cases[i].error) {
			if (r != MUE_EINVAL || !strstr(e.text, component_cases[i].error))
				fail_msg("%s: got %d \"%s\"", component_cases[i].says, r, e.text);
			continue;
		}
		if (r != MUE_OK)
			fail_msg("%s: refused: %s", component_cases[i].says, e.text);
		assert_string_equal(a.kind, component_cases[i].kind);
		assert_string_equal(a.name, component_cases[i].name);
		assert_string_equal(a.version, component_cases[i].version);
		assert_string_equal(a.file, component_cases[i].file);
		assert_int_equal(a.slot, component_cases[i].slot);
	}
}

static void sizes_and_bars(void **state)
{
	char size[16], bar[64];

	(void)state;
	assert_string_equal(mue_term_size(999, size), "999 B");
	assert_string_equal(mue_term_size(1000, size), "1.0 kB");
	assert_string_equal(mue_term_size(1999999, size), "1.9 MB");
	assert_string_equal(mue_term_size(UINT64_MAX, size), "18.4 EB");
	assert_string_equal(mue_term_bar(0, 0, 4, bar), "----");
	assert_string_equal(mue_term_bar(1, 1000, 4, bar), "#---");
	assert_string_equal(mue_term_bar(999, 1000, 4, bar), "###-");
	assert_string_equal(mue_term_bar(7, 7, 4, bar), "####");
}

static void what_comes_from_outside_cannot_steer_a_terminal(void **state)
{
	char safe[16];

	(void)state;
	assert_string_equal(mue_term_safe("a\033[2Jb\nc", safe, sizeof(safe)), "a?[2Jb?c");
	assert_string_equal(mue_term_safe("abcdef", safe, 4), "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(help_wins_over_everything_needed),
		cmocka_unit_test(a_list_has_a_ceiling),
		cmocka_unit_test(stages),
		cmocka_unit_test(stages_become_groups),
		cmocka_unit_test(components),
		cmocka_unit_test(sizes_and_bars),
		cmocka_unit_test(what_comes_from_outside_cannot_steer_a_terminal),
	};

	return cmocka_run_group_tests_name("cli_opt", tests, NULL, NULL);
}
