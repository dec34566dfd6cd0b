#include "server/fleet/fiql.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct compiler {
	const struct mue_fiql *q;
	const struct mue_fiql_context *context;
	struct mue_fiql_sql *out;
	struct mue_fiql_error *error;
	const struct mue_fiql_node *node; /* the comparison being compiled */
};

static int refuse(struct compiler *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct compiler *c, int code, const char *fmt, ...)
{
	va_list ap;

	c->error->position = c->node ? c->node->position : 0;
	va_start(ap, fmt);
	vsnprintf(c->error->text, sizeof(c->error->text), fmt, ap);
	va_end(ap);
	return code;
}

/* ---- output ---- */

static int emit_n(struct compiler *c, const char *sql, size_t len)
{
	if (len >= sizeof(c->out->where) - c->out->len)
		return refuse(c, MUE_ESIZE, "filter too complex");
	memcpy(c->out->where + c->out->len, sql, len);
	c->out->len += len;
	c->out->where[c->out->len] = '\0';
	return 0;
}

static int emit(struct compiler *c, const char *sql)
{
	return emit_n(c, sql, strlen(sql));
}

/* Several pieces of SQL, ended by NULL. */
static int emit_all(struct compiler *c, ...)
{
	va_list ap;
	int r = 0;

	va_start(ap, c);
	for (;;) {
		const char *piece = va_arg(ap, const char *);

		if (!piece || r < 0)
			break;
		r = emit(c, piece);
	}
	va_end(ap);
	return r;
}

static struct mue_fiql_bind *new_bind(struct compiler *c)
{
	if (c->out->count == sizeof(c->out->binds) / sizeof(c->out->binds[0]))
		return NULL;
	return &c->out->binds[c->out->count++];
}

static int bind_number(struct compiler *c, int64_t value)
{
	struct mue_fiql_bind *b = new_bind(c);

	if (!b)
		return refuse(c, MUE_ESIZE, "filter too complex");
	*b = (struct mue_fiql_bind){ .number = value };
	return 0;
}

static int bind_text(struct compiler *c, const char *text)
{
	struct mue_fiql_bind *b = new_bind(c);

	if (!b)
		return refuse(c, MUE_ESIZE, "filter too complex");
	*b = (struct mue_fiql_bind){ .is_text = true, .text = text };
	return 0;
}

static bool put(struct compiler *c, char ch)
{
	if (c->out->used == sizeof(c->out->text))
		return false;
	c->out->text[c->out->used++] = ch;
	return true;
}

/* ---- values ---- */

static bool has_wildcard(const char *v)
{
	for (; *v; v++) {
		if (*v == '\\' && v[1])
			v++;
		else if (*v == '*')
			return true;
	}
	return false;
}

/* One literal character, in lower case; escaped where LIKE would take it for its own. */
static bool put_literal(struct compiler *c, char ch, bool like)
{
	if (like && strchr("%_\\", ch) && !put(c, '\\'))
		return false;
	return put(c, (char)tolower((unsigned char)ch));
}

/* The value in lower case; as a LIKE pattern (escape \) when `like`.  NULL: no room. */
static const char *lowered(struct compiler *c, const char *v, bool like)
{
	const char *start = c->out->text + c->out->used;
	bool ok = true;

	for (; *v && ok; v++) {
		if (*v == '\\' && (v[1] == '*' || v[1] == '\\'))
			ok = put_literal(c, *++v, like);
		else if (like && *v == '*')
			ok = put(c, '%');
		else
			ok = put_literal(c, *v, like);
	}
	return ok && put(c, '\0') ? start : NULL;
}

static int number_of(struct compiler *c, const char *v, int64_t *ret)
{
	char *end;
	long long n;

	if (strcasecmp(v, "${NOW_TS}") == 0) {
		*ret = c->context->now_ms;
		return 0;
	}
	if (strcasecmp(v, "${OVERDUE_TS}") == 0) {
		*ret = c->context->overdue_ms;
		return 0;
	}
	errno = 0;
	n = strtoll(v, &end, 10);
	if (end == v || *end || errno)
		return refuse(c, MUE_EFORMAT, "'%.40s' needs a whole number, got '%.40s'",
			      c->node->selector, v);
	*ret = n;
	return 0;
}

static int bool_of(struct compiler *c, const char *v, int64_t *ret)
{
	if (strcasecmp(v, "true") != 0 && strcasecmp(v, "false") != 0)
		return refuse(c, MUE_EFORMAT, "'%.40s' needs true or false, got '%.40s'",
			      c->node->selector, v);
	*ret = strcasecmp(v, "true") == 0;
	return 0;
}

/* ---- one comparison ---- */

static int scalar(struct compiler *c, const struct mue_field *f, const char *v, int64_t *ret)
{
	return f->kind == MUE_FIELD_BOOL ? bool_of(c, v, ret) : number_of(c, v, ret);
}

static int equals_text(struct compiler *c, const struct mue_field *f, const char *v)
{
	const char *text;
	bool like = has_wildcard(v);
	int r;

	if (*v == '\0')
		return emit_all(c, "(", f->sql, " IS NULL OR ", f->sql, " = '')", NULL);
	if (strcmp(v, "*") == 0)
		return emit_all(c, f->sql, " IS NOT NULL", NULL);
	text = lowered(c, v, like);
	r = text ? bind_text(c, text) : refuse(c, MUE_ESIZE, "filter too long");
	if (r < 0)
		return r;
	return emit_all(c, "lower(", f->sql, like ? ") LIKE ? ESCAPE '\\'" : ") = ?", NULL);
}

static int equals(struct compiler *c, const struct mue_field *f, const char *v)
{
	int64_t n;
	int r;

	if (f->kind == MUE_FIELD_TEXT)
		return equals_text(c, f, v);
	if (*v == '\0')
		return emit_all(c, f->sql, " IS NULL", NULL);
	r = scalar(c, f, v, &n);
	if (r == 0)
		r = bind_number(c, n);
	return r < 0 ? r : emit_all(c, f->sql, " = ?", NULL);
}

static int order_relation(struct compiler *c, const struct mue_field *f, const char *v)
{
	static const char *const relations[] = { [MUE_FIQL_LT] = " < ?",
						 [MUE_FIQL_LE] = " <= ?",
						 [MUE_FIQL_GT] = " > ?",
						 [MUE_FIQL_GE] = " >= ?" };
	const char *relation = relations[c->node->op], *text;
	int64_t n;
	int r;

	if (f->kind != MUE_FIELD_TEXT) {
		r = scalar(c, f, v, &n);
		if (r == 0)
			r = bind_number(c, n);
		return r < 0 ? r : emit_all(c, f->sql, relation, NULL);
	}
	text = lowered(c, v, false);
	r = text ? bind_text(c, text) : refuse(c, MUE_ESIZE, "filter too long");
	return r < 0 ? r : emit_all(c, "lower(", f->sql, ")", relation, NULL);
}

/* The condition on the values alone, without negation. */
static int condition(struct compiler *c, const struct mue_field *f)
{
	const struct mue_fiql_node *n = c->node;
	int r = emit(c, "(");

	for (unsigned i = 0; i < n->values && r == 0; i++) {
		const char *v = c->q->values[n->first_value + i];

		if (i)
			r = emit(c, " OR ");
		if (r < 0)
			break;
		if (n->op >= MUE_FIQL_LT && n->op <= MUE_FIQL_GE)
			r = order_relation(c, f, v);
		else
			r = equals(c, f, v);
	}
	return r < 0 ? r : emit(c, ")");
}

/* Finds the field; *ret_key is what follows the "." of a keyed field. */
static const struct mue_field *find(struct compiler *c, const char **ret_key)
{
	const char *selector = c->node->selector;

	*ret_key = NULL;
	for (const struct mue_field *f = c->context->fields; f->name; f++) {
		size_t len = strlen(f->name);

		if (f->name[len - 1] == '.') {
			if (strncasecmp(selector, f->name, len) == 0 && selector[len]) {
				*ret_key = selector + len;
				return f;
			}
		} else if (strcasecmp(selector, f->name) == 0) {
			return f;
		}
	}
	return NULL;
}

static int emit_exists(struct compiler *c, const struct mue_field *f, const char *key)
{
	const char *hole = strstr(f->exists, "%k");
	int r = emit(c, "EXISTS (");

	if (r < 0)
		return r;
	if (!hole)
		return emit_all(c, f->exists, " AND ", NULL);
	r = emit_n(c, f->exists, (size_t)(hole - f->exists));
	if (r == 0)
		r = bind_text(c, key);
	return r < 0 ? r : emit_all(c, "?", hole + 2, " AND ", NULL);
}

/* A condition on the entity's own column. */
static int compare_own(struct compiler *c, const struct mue_field *f, bool negated)
{
	int r = negated ? emit(c, "NOT COALESCE(") : 0;

	if (r == 0)
		r = condition(c, f);
	return r < 0 || !negated ? r : emit(c, ", FALSE)");
}

/* A condition on rows that belong to the entity. */
static int compare_rows(struct compiler *c, const struct mue_field *f, const char *key,
			bool negated)
{
	const struct mue_fiql_node *n = c->node;
	/* "attribute.x==''" asks whether no value is there. */
	bool unset = (n->op == MUE_FIQL_EQ || n->op == MUE_FIQL_NE) &&
		     c->q->values[n->first_value][0] == '\0';
	int r = negated != unset ? emit(c, "NOT ") : 0;

	if (r == 0)
		r = emit_exists(c, f, key);
	if (r == 0)
		r = unset ? emit_all(c, f->sql, " <> ''", NULL) : condition(c, f);
	return r < 0 ? r : emit(c, ")");
}

static int comparison(struct compiler *c)
{
	const struct mue_fiql_node *n = c->node;
	bool negated = n->op == MUE_FIQL_NE || n->op == MUE_FIQL_OUT;
	const char *key;
	const struct mue_field *f = find(c, &key);

	if (!f)
		return refuse(c, MUE_ENOTFOUND, "no field is named '%.60s'", n->selector);
	return f->exists ? compare_rows(c, f, key, negated) : compare_own(c, f, negated);
}

static int compile(struct compiler *c, int node)
{
	const struct mue_fiql_node *n = &c->q->nodes[node];
	int r;

	if (n->op != MUE_FIQL_AND && n->op != MUE_FIQL_OR) {
		c->node = n;
		return comparison(c);
	}
	r = emit(c, "(");
	if (r == 0)
		r = compile(c, n->left);
	if (r == 0)
		r = emit(c, n->op == MUE_FIQL_AND ? " AND " : " OR ");
	if (r == 0)
		r = compile(c, n->right);
	return r < 0 ? r : emit(c, ")");
}

int mue_fiql_compile(const struct mue_fiql *q, const struct mue_fiql_context *context,
		     struct mue_fiql_sql *ret, struct mue_fiql_error *ret_error)
{
	struct compiler c = { .q = q, .context = context, .out = ret, .error = ret_error };

	ret->len = ret->used = ret->count = 0;
	ret->where[0] = '\0';
	return q->root < 0 ? emit(&c, "TRUE") : compile(&c, q->root);
}

/* ---- sorting ---- */

static const struct mue_field *sort_field(const struct mue_field *fields, const char *name,
					  size_t len)
{
	for (; fields->name; fields++)
		if (!fields->exists && strlen(fields->name) == len &&
		    strncasecmp(fields->name, name, len) == 0)
			return fields;
	return NULL;
}

static bool direction(const char *text, size_t len, const char **ret)
{
	*ret = " ASC";
	if (len == 0 || (len == 3 && strncasecmp(text, "ASC", 3) == 0))
		return true;
	*ret = " DESC";
	return len == 4 && strncasecmp(text, "DESC", 4) == 0;
}

int mue_fiql_order(const char *sort, const struct mue_field *fields, const char *otherwise,
		   char *ret, size_t room, struct mue_fiql_error *ret_error)
{
	size_t used = 0;

	if (!sort || !sort[strspn(sort, " ")])
		sort = "";
	if (!*sort)
		used = (size_t)snprintf(ret, room, "%s", otherwise);
	for (const char *p = sort; *p;) {
		size_t len = strcspn(p, ","), name = strcspn(p, ":,");
		const struct mue_field *f = sort_field(fields, p, name);
		const char *way;
		int n;

		ret_error->position = (unsigned)(p - sort);
		if (!f) {
			snprintf(ret_error->text, sizeof(ret_error->text), "cannot sort by '%.*s'",
				 (int)(name < 60 ? name : 60), p);
			return MUE_ENOTFOUND;
		}
		if (!direction(p + name + (name < len), len - name - (name < len), &way)) {
			snprintf(ret_error->text, sizeof(ret_error->text),
				 "expected ASC or DESC after '%.*s:'", (int)(name < 60 ? name : 60),
				 p);
			return MUE_EFORMAT;
		}
		n = snprintf(ret + used, used < room ? room - used : 0, "%s%s%s", used ? ", " : "",
			     f->sql, way);
		used += n > 0 ? (size_t)n : 0;
		if (used >= room)
			break;
		p += len + (p[len] == ',');
	}
	if (used >= room) {
		ret_error->position = 0;
		snprintf(ret_error->text, sizeof(ret_error->text), "sort is too long");
		return MUE_ESIZE;
	}
	return 0;
}
