#include "server/fleet/fiql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct parser {
	const char *text, *p;
	struct mue_fiql *q;
	struct mue_fiql_error *error;
	unsigned depth;
};

static int refuse(struct parser *s, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct parser *s, int code, const char *fmt, ...)
{
	va_list ap;

	s->error->position = (unsigned)(s->p - s->text);
	va_start(ap, fmt);
	vsnprintf(s->error->text, sizeof(s->error->text), fmt, ap);
	va_end(ap);
	return code;
}

static int expected(struct parser *s, const char *what)
{
	if (*s->p == '\0')
		return refuse(s, MUE_EFORMAT, "expected %s, found the end", what);
	return refuse(s, MUE_EFORMAT, "expected %s, found '%c'", what, *s->p);
}

static void skip_blanks(struct parser *s)
{
	while (*s->p == ' ' || *s->p == '\t')
		s->p++;
}

static bool is_reserved(char c)
{
	return c == '\0' || strchr("\"'();,=!~<> \t", c) != NULL;
}

static int new_node(struct parser *s, enum mue_fiql_op op, unsigned position)
{
	struct mue_fiql_node *n;

	if (s->q->node_count == MUE_FIQL_NODES)
		return refuse(s, MUE_ESIZE, "more than %d conditions", MUE_FIQL_NODES);
	n = &s->q->nodes[s->q->node_count];
	memset(n, 0, sizeof(*n));
	n->op = op;
	n->left = n->right = -1;
	n->position = position;
	return (int)s->q->node_count++;
}

static int put(struct parser *s, char c)
{
	if (s->q->used == sizeof(s->q->text))
		return refuse(s, MUE_ESIZE, "filter too long");
	s->q->text[s->q->used++] = c;
	return 0;
}

static int read_quoted(struct parser *s)
{
	char quote = *s->p;
	int r = 0;

	s->p++;
	while (*s->p && *s->p != quote && r == 0) {
		if (*s->p == '\\' && s->p[1]) {
			s->p++;
			/* An escaped star or backslash stays escaped: the compiler must tell it
			 * from a wildcard. */
			if (*s->p == '*' || *s->p == '\\')
				r = put(s, '\\');
		}
		if (r == 0)
			r = put(s, *s->p++);
	}
	if (r == 0 && *s->p != quote)
		return refuse(s, MUE_EFORMAT, "quote is not closed");
	s->p++;
	return r;
}

static int read_plain(struct parser *s)
{
	const char *start = s->p;
	int r = 0;

	while (!is_reserved(*s->p) && r == 0)
		r = put(s, *s->p++);
	if (r == 0 && s->p == start)
		return expected(s, "a value");
	return r;
}

static int read_value(struct parser *s)
{
	unsigned start = s->q->used;
	int r;

	if (s->q->value_count == MUE_FIQL_VALUES)
		return refuse(s, MUE_ESIZE, "more than %d values", MUE_FIQL_VALUES);
	r = *s->p == '"' || *s->p == '\'' ? read_quoted(s) : read_plain(s);
	if (r == 0)
		r = put(s, '\0');
	if (r < 0)
		return r;
	s->q->values[s->q->value_count++] = s->q->text + start;
	return 0;
}

static int read_list(struct parser *s)
{
	int r;

	if (*s->p != '(')
		return refuse(s, MUE_EFORMAT, "expected '(' after =in= or =out=");
	do {
		s->p++;
		skip_blanks(s);
		r = read_value(s);
		if (r < 0)
			return r;
		skip_blanks(s);
	} while (*s->p == ',');
	if (*s->p != ')')
		return refuse(s, MUE_EFORMAT, "expected ',' or ')' in the list");
	s->p++;
	return 0;
}

static const struct {
	const char *text;
	enum mue_fiql_op op;
} operators[] = {
	{ "==", MUE_FIQL_EQ },   { "!=", MUE_FIQL_NE },     { "=lt=", MUE_FIQL_LT },
	{ "=le=", MUE_FIQL_LE }, { "=gt=", MUE_FIQL_GT },   { "=ge=", MUE_FIQL_GE },
	{ "=in=", MUE_FIQL_IN }, { "=out=", MUE_FIQL_OUT }, { "<=", MUE_FIQL_LE },
	{ ">=", MUE_FIQL_GE },   { "<", MUE_FIQL_LT },      { ">", MUE_FIQL_GT },
};

static int read_operator(struct parser *s, enum mue_fiql_op *ret)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t len = strlen(operators[i].text);

		if (strncasecmp(s->p, operators[i].text, len) == 0) {
			s->p += len;
			*ret = operators[i].op;
			return 0;
		}
	}
	return refuse(s, MUE_EFORMAT,
		      "expected an operator (==, !=, =lt=, =le=, =gt=, =ge=, =in=, "
		      "=out=)");
}

static int read_comparison(struct parser *s)
{
	unsigned start = s->q->used, position = (unsigned)(s->p - s->text);
	struct mue_fiql_node *n;
	enum mue_fiql_op op = MUE_FIQL_EQ;
	int r, node;

	if (is_reserved(*s->p))
		return expected(s, "a field name");
	r = read_plain(s);
	if (r == 0)
		r = put(s, '\0');
	if (r < 0)
		return r;
	skip_blanks(s);
	r = read_operator(s, &op);
	if (r < 0)
		return r;
	skip_blanks(s);
	node = new_node(s, op, position);
	if (node < 0)
		return node;
	n = &s->q->nodes[node];
	n->selector = s->q->text + start;
	n->first_value = s->q->value_count;
	r = op == MUE_FIQL_IN || op == MUE_FIQL_OUT ? read_list(s) : read_value(s);
	if (r < 0)
		return r;
	n->values = s->q->value_count - n->first_value;
	return node;
}

static int read_or(struct parser *s);

static int read_term(struct parser *s)
{
	int node;

	skip_blanks(s);
	if (*s->p != '(')
		return read_comparison(s);
	if (s->depth == MUE_FIQL_DEPTH)
		return refuse(s, MUE_ESIZE, "parentheses nested deeper than %d", MUE_FIQL_DEPTH);
	s->depth++;
	s->p++;
	node = read_or(s);
	if (node < 0)
		return node;
	skip_blanks(s);
	if (*s->p != ')')
		return refuse(s, MUE_EFORMAT, "expected ')'");
	s->p++;
	s->depth--;
	return node;
}

/* Takes `sign`, or `word` with a blank (or parenthesis) behind it. */
static bool take(struct parser *s, char sign, const char *word)
{
	const char *before = s->p;
	size_t len = strlen(word);

	skip_blanks(s);
	if (*s->p == sign) {
		s->p++;
		return true;
	}
	if (s->p > before || (before > s->text && before[-1] == ')')) {
		char after;

		if (strncasecmp(s->p, word, len) == 0) {
			after = s->p[len];
			if (after == ' ' || after == '\t' || after == '(') {
				s->p += len;
				return true;
			}
		}
	}
	s->p = before;
	return false;
}

static int join(struct parser *s, enum mue_fiql_op op, int left, int right)
{
	int node = new_node(s, op, s->q->nodes[left].position);

	if (node < 0)
		return node;
	s->q->nodes[node].left = left;
	s->q->nodes[node].right = right;
	return node;
}

static int read_and(struct parser *s)
{
	int left = read_term(s);

	while (left >= 0 && take(s, ';', "and")) {
		int right = read_term(s);

		if (right < 0)
			return right;
		left = join(s, MUE_FIQL_AND, left, right);
	}
	return left;
}

static int read_or(struct parser *s)
{
	int left = read_and(s);

	while (left >= 0 && take(s, ',', "or")) {
		int right = read_and(s);

		if (right < 0)
			return right;
		left = join(s, MUE_FIQL_OR, left, right);
	}
	return left;
}

int mue_fiql_parse(const char *text, struct mue_fiql *ret, struct mue_fiql_error *ret_error)
{
	struct parser s = { .text = text ? text : "", .q = ret, .error = ret_error };
	int root;

	s.p = s.text;
	ret->node_count = ret->value_count = ret->used = 0;
	ret->root = -1;
	skip_blanks(&s);
	if (!*s.p)
		return 0;
	if (strlen(s.text) > MUE_FIQL_TEXT)
		return refuse(&s, MUE_ESIZE, "longer than %d bytes", MUE_FIQL_TEXT);
	root = read_or(&s);
	if (root < 0)
		return root;
	skip_blanks(&s);
	if (*s.p)
		return refuse(&s, MUE_EFORMAT, "expected ';' or ',' or the end, found '%c'", *s.p);
	ret->root = root;
	return 0;
}
