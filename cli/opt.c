#include "cli/opt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool mue_opt_is_choice(const char *choices, const char *word)
{
	size_t n = strlen(word);

	while (n > 0 && choices && *choices) {
		size_t len = strcspn(choices, "|");

		if (len == n && memcmp(choices, word, n) == 0)
			return true;
		choices += len + (choices[len] == '|');
	}
	return false;
}

int mue_opt_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *digits = hex ? s + 2 : s;
	unsigned long long v;
	char *end;

	if (!*digits ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return MUE_EINVAL;
	errno = 0;
	v = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *end || v < min || v > max)
		return MUE_EINVAL;
	*ret = v;
	return MUE_OK;
}

/* Edits (insert, delete, replace) between two short words, for "did you mean"; more than `limit`
 * letters are not compared (Wagner, Fischer 1974). */
static size_t distance(const char *a, const char *b)
{
	enum { LIMIT = 31 };
	size_t row[LIMIT + 1], la = strlen(a), lb = strlen(b);

	if (la > LIMIT || lb > LIMIT)
		return LIMIT;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

static const char *nearest(const struct mue_optset *sets, size_t n_sets, const char *name)
{
	const char *best = NULL;
	size_t best_d = 3;

	for (size_t i = 0; i < n_sets; i++) {
		for (const struct mue_opt *o = sets[i].opts; o && o->name; o++) {
			size_t d = distance(o->name, name);

			if (d < best_d) {
				best_d = d;
				best = o->name;
			}
		}
	}
	return best;
}

static bool is_called(const struct mue_opt *o, const char *name, size_t len)
{
	return strlen(o->name) == len && memcmp(o->name, name, len) == 0;
}

/* The option that a word like "--name", "--name=VALUE", "-n" or "-nVALUE" means, and its struct. */
static const struct mue_opt *find(const struct mue_optset *sets, size_t n_sets, const char *word,
				  void **ret_into)
{
	bool is_long = word[1] == '-';
	size_t len = is_long ? strcspn(word + 2, "=") : 0;

	for (size_t i = 0; i < n_sets; i++) {
		for (const struct mue_opt *o = sets[i].opts; o && o->name; o++) {
			if (is_long ? is_called(o, word + 2, len) : o->letter == word[1]) {
				*ret_into = sets[i].into;
				return o;
			}
		}
	}
	return NULL;
}

static int set_number(const struct mue_opt *o, uint64_t *place, const char *value,
		      struct mue_error *e)
{
	if (mue_opt_number(value, o->min, o->max, place) == MUE_OK)
		return MUE_OK;
	return mue_fail(e, MUE_EINVAL,
			"--%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%.60s\"",
			o->name, o->min, o->max, value);
}

static int set_list(const struct mue_opt *o, struct mue_strings *place, const char *value,
		    struct mue_error *e)
{
	if (place->n == MUE_STRINGS_MAX)
		return mue_fail(e, MUE_EINVAL, "--%s given more than %d times", o->name,
				MUE_STRINGS_MAX);
	place->v[place->n++] = value;
	return MUE_OK;
}

static int set(const struct mue_opt *o, void *into, const char *value, struct mue_error *e)
{
	void *place = (char *)into + o->at;

	if (!*value)
		return mue_fail(e, MUE_EINVAL, "--%s wants a value (%s), not an empty one", o->name,
				o->value);
	switch (o->kind) {
	case MUE_OPT_NUMBER:
		return set_number(o, place, value, e);
	case MUE_OPT_LIST:
		return set_list(o, place, value, e);
	case MUE_OPT_CHOICE:
		if (!mue_opt_is_choice(o->choices, value))
			return mue_fail(e, MUE_EINVAL, "--%s wants one of %s, not \"%.60s\"",
					o->name, o->choices, value);
		break;
	case MUE_OPT_FLAG:
	case MUE_OPT_TEXT:
	case MUE_OPT_FILE:
	case MUE_OPT_DIR:
		break;
	}
	*(const char **)place = value;
	return MUE_OK;
}

struct walk {
	int argc, i;
	char **argv;
	const struct mue_optset *sets;
	size_t n_sets;
};

static int unknown(const struct walk *w, const char *arg, struct mue_error *e)
{
	const char *near = arg[1] == '-' ? nearest(w->sets, w->n_sets, arg + 2) : NULL;

	if (near)
		return mue_fail(e, MUE_EINVAL, "unknown option %.60s; did you mean --%s?", arg,
				near);
	return mue_fail(e, MUE_EINVAL, "unknown option %.60s", arg);
}

/* What follows in the same word: behind "=" or behind the letter; NULL: nothing. */
static const char *inline_value(const char *arg)
{
	const char *equal;

	if (arg[1] != '-')
		return arg[2] ? arg + 2 : NULL;
	equal = strchr(arg, '=');
	return equal ? equal + 1 : NULL;
}

/* One option; w->i stands on it and is left on its last word. */
static int take_option(struct walk *w, struct mue_error *e)
{
	const char *arg = w->argv[w->i], *value = inline_value(arg);
	const struct mue_opt *o;
	void *into = NULL;

	o = find(w->sets, w->n_sets, arg, &into);
	if (!o)
		return unknown(w, arg, e);
	if (o->kind == MUE_OPT_FLAG) {
		if (value)
			return mue_fail(e, MUE_EINVAL, "--%s takes no value", o->name);
		*(bool *)((char *)into + o->at) = true;
		return MUE_OK;
	}
	if (!value) {
		if (w->i + 1 >= w->argc)
			return mue_fail(e, MUE_EINVAL, "--%s wants a value: %s", o->name, o->value);
		value = w->argv[++w->i];
	}
	return set(o, into, value, e);
}

static bool is_set(const struct mue_opt *o, const void *into)
{
	const void *place = (const char *)into + o->at;

	switch (o->kind) {
	case MUE_OPT_FLAG:
		return *(const bool *)place;
	case MUE_OPT_NUMBER:
		return *(const uint64_t *)place != 0;
	case MUE_OPT_LIST:
		return ((const struct mue_strings *)place)->n > 0;
	case MUE_OPT_TEXT:
	case MUE_OPT_FILE:
	case MUE_OPT_DIR:
	case MUE_OPT_CHOICE:
		break;
	}
	return *(const char *const *)place != NULL;
}

static int check_required(const struct mue_optset *sets, size_t n_sets, struct mue_error *e)
{
	for (size_t i = 0; i < n_sets; i++)
		for (const struct mue_opt *o = sets[i].opts; o && o->name; o++)
			if (o->required && !is_set(o, sets[i].into))
				return mue_fail(e, MUE_EINVAL, "--%s %s is needed: %s", o->name,
						o->value, o->help);
	return MUE_OK;
}

static void set_defaults(const struct mue_optset *sets, size_t n_sets)
{
	for (size_t i = 0; i < n_sets; i++)
		for (const struct mue_opt *o = sets[i].opts; o && o->name; o++)
			if (o->kind == MUE_OPT_NUMBER)
				*(uint64_t *)(void *)((char *)sets[i].into + o->at) = o->unset;
}

int mue_opt_parse(int argc, char **argv, const struct mue_optset *sets, size_t n_sets,
		  struct mue_strings *ret_args, bool *ret_help, struct mue_error *e)
{
	struct walk w = { argc, 0, argv, sets, n_sets };
	struct mue_strings args = { .n = 0 };
	bool options = true;

	set_defaults(sets, n_sets);
	for (; w.i < argc; w.i++) {
		const char *arg = argv[w.i];
		int r;

		if (options && strcmp(arg, "--") == 0) {
			options = false;
			continue;
		}
		if (options && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
			*ret_help = true;
			return MUE_OK;
		}
		if (!options || arg[0] != '-' || !arg[1]) {
			if (args.n == MUE_STRINGS_MAX)
				return mue_fail(e, MUE_EINVAL, "more than %d arguments",
						MUE_STRINGS_MAX);
			args.v[args.n++] = arg;
			continue;
		}
		r = take_option(&w, e);
		if (r < 0)
			return r;
	}
	*ret_args = args;
	*ret_help = false;
	return check_required(sets, n_sets, e);
}

/* Where help texts start, and where they are broken. */
enum { HELP_COLUMN = 30, HELP_END = 98 };

/* The text from column HELP_COLUMN on, broken between words. */
static void put_help(FILE *f, const char *text)
{
	int at = HELP_COLUMN;

	while (*text) {
		int n = (int)strcspn(text, " ");
		bool first = at == HELP_COLUMN;

		if (!first && at + 1 + n > HELP_END) {
			fprintf(f, "\n%*s%.*s", HELP_COLUMN, "", n, text);
			at = HELP_COLUMN + n;
		} else {
			fprintf(f, "%s%.*s", first ? "" : " ", n, text);
			at += n + !first;
		}
		text += n;
		text += *text == ' ';
	}
}

void mue_opt_print(FILE *f, const struct mue_opt *opts)
{
	for (const struct mue_opt *o = opts; o && o->name; o++) {
		char head[128], letter[8] = "    ", help[400];
		int n;

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		n = snprintf(head, sizeof(head), "  %s--%s%s%s", letter, o->name,
			     o->value ? " " : "", o->value ? o->value : "");
		fprintf(f, "%s%*s", head, n < HELP_COLUMN - 1 ? HELP_COLUMN - n : 0, "");
		if (n >= HELP_COLUMN - 1)
			fprintf(f, "\n%*s", HELP_COLUMN, "");
		snprintf(help, sizeof(help), "%s%s", o->help, o->required ? " (needed)" : "");
		put_help(f, help);
		fputc('\n', f);
	}
}
