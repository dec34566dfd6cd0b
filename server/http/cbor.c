/* Bodies as CBOR. */
#include "server/http/cbor.h"
#include "core/cbor.h"
#include "server/http/router.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH = 16, BREAK = 0xff };

/* ---- CBOR to JSON ---- */

static int value(struct mue_cbor *c, unsigned depth, json_t **ret);

/* Is it the end of an array or map?  `left` counts the items of a definite one. */
static bool ends(struct mue_cbor *c, bool indefinite, uint64_t *left)
{
	if (!indefinite)
		return (*left)-- == 0;
	if (c->at == c->end || *c->at != BREAK)
		return false;
	c->at++;
	return true;
}

static int list(struct mue_cbor *c, bool indefinite, uint64_t left, unsigned depth, json_t *ret)
{
	while (!ends(c, indefinite, &left)) {
		json_t *item;
		int r = value(c, depth, &item);

		if (r < 0)
			return r;
		if (json_array_append_new(ret, item) < 0)
			return MUE_ENOMEM;
	}
	return 0;
}

static int map(struct mue_cbor *c, bool indefinite, uint64_t left, unsigned depth, json_t *ret)
{
	while (!ends(c, indefinite, &left)) {
		char name[256];
		struct mue_view key;
		json_t *item;
		int r = mue_cbor_text(c, &key);

		if (r < 0)
			return r;
		if (key.len >= sizeof(name) || memchr(key.data, 0, key.len))
			return MUE_EFORMAT;
		memcpy(name, key.data, key.len);
		name[key.len] = '\0';
		if (json_object_get(ret, name))
			return MUE_EFORMAT;
		r = value(c, depth, &item);
		if (r < 0)
			return r;
		if (json_object_set_new(ret, name, item) < 0)
			return MUE_ENOMEM;
	}
	return 0;
}

static int nested(struct mue_cbor *c, uint8_t type, bool indefinite, uint64_t count, unsigned depth,
		  json_t **ret)
{
	json_t *into = type == MUE_CBOR_MAP ? json_object() : json_array();
	int r;

	if (!into)
		return MUE_ENOMEM;
	r = depth == DEPTH         ? MUE_EFORMAT
	    : type == MUE_CBOR_MAP ? map(c, indefinite, count, depth + 1, into)
				   : list(c, indefinite, count, depth + 1, into);
	if (r < 0)
		json_decref(into);
	else
		*ret = into;
	return r;
}

static json_t *simple(uint64_t what)
{
	switch (what) {
	case MUE_CBOR_FALSE:
	case MUE_CBOR_TRUE:
		return json_boolean(what == MUE_CBOR_TRUE);
	case MUE_CBOR_NULL:
		return json_null();
	default:
		return NULL;
	}
}

static json_t *scalar(const struct mue_cbor_item *i)
{
	json_int_t n = (json_int_t)(i->arg & INT64_MAX);

	switch ((enum mue_cbor_type)i->type) {
	case MUE_CBOR_UINT:
		return i->arg > INT64_MAX ? NULL : json_integer(n);
	case MUE_CBOR_NINT:
		return i->arg > INT64_MAX ? NULL : json_integer(-1 - n);
	case MUE_CBOR_TEXT:
		return memchr(i->view.data, 0, i->view.len)
			       ? NULL
			       : json_stringn((const char *)i->view.data, i->view.len);
	case MUE_CBOR_SIMPLE:
		return simple(i->arg);
	case MUE_CBOR_BYTES:
	case MUE_CBOR_TAG:
	case MUE_CBOR_ARRAY:
	case MUE_CBOR_MAP:
		break;
	}
	return NULL;
}

static int value(struct mue_cbor *c, unsigned depth, json_t **ret)
{
	struct mue_cbor_item i;
	int r;

	if (c->at < c->end && (*c->at == 0x9f || *c->at == 0xbf))
		return nested(c, *c->at++ >> 5, true, 0, depth, ret);
	r = mue_cbor_next(c, &i);
	if (r < 0)
		return r;
	if (i.type == MUE_CBOR_ARRAY || i.type == MUE_CBOR_MAP)
		return nested(c, i.type, false, i.arg, depth, ret);
	*ret = scalar(&i);
	return *ret ? 0 : MUE_EFORMAT;
}

int mue_json_from_cbor(const void *data, size_t len, json_t **ret, struct mue_error *e)
{
	struct mue_cbor c = mue_cbor_read((struct mue_view){ data, len });
	json_t *json = NULL;
	int r = value(&c, 0, &json);
	size_t at = (size_t)(c.at - (const uint8_t *)data);

	if (r == 0)
		r = mue_cbor_end(&c);
	if (r < 0) {
		json_decref(json);
		return mue_fail(e, r, "the body is not CBOR that we take: %s at byte %zu",
				mue_err_text(r), at);
	}
	*ret = json;
	return 0;
}

/* ---- JSON to CBOR ---- */

static void put(struct mue_cbor_writer *w, const json_t *v)
{
	const json_t *item;
	const char *key;
	void *at;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		mue_cbor_put_map(w, json_object_size(v));
		/* jansson's iterators do not write, but take no const */
		at = json_object_iter((json_t *)(uintptr_t)v);
		for (; at; at = json_object_iter_next((json_t *)(uintptr_t)v, at)) {
			key = json_object_iter_key(at);
			mue_cbor_put_text(w, key, strlen(key));
			put(w, json_object_iter_value(at));
		}
		break;
	case JSON_ARRAY:
		mue_cbor_put_array(w, json_array_size(v));
		for (size_t i = 0; (item = json_array_get(v, i)); i++)
			put(w, item);
		break;
	case JSON_STRING:
		mue_cbor_put_text(w, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		mue_cbor_put_int(w, json_integer_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		mue_cbor_put_bool(w, json_is_true(v));
		break;
	case JSON_REAL: /* no answer to a device holds one */
	case JSON_NULL:
		mue_cbor_put_null(w);
		break;
	}
}

int mue_json_to_cbor(const json_t *v, char **ret, size_t *ret_len)
{
	struct mue_cbor_writer w;
	char *buf;

	mue_cbor_write(&w, NULL, 0);
	put(&w, v);
	buf = malloc(w.len);
	if (!buf)
		return MUE_ENOMEM;
	mue_cbor_write(&w, buf, w.len);
	put(&w, v);
	*ret = buf;
	*ret_len = w.len;
	return 0;
}

void mue_respond_as_asked(struct mue_request *r)
{
	static const char cbor[] = "application/cbor";
	struct mue_response *a = &r->response;
	const char *accept = mue_request_header(r, "Accept");
	json_t *json;
	size_t len;
	char *bytes;

	if (!accept || !a->type || !a->body || strcmp(a->type, "application/json"))
		return;
	accept += strspn(accept, " ");
	if (strncasecmp(accept, cbor, strlen(cbor)) || !strchr(" ,;", accept[strlen(cbor)]))
		return;
	json = json_loadb(a->body, a->len, 0, NULL);
	if (!json || mue_json_to_cbor(json, &bytes, &len) < 0) {
		json_decref(json);
		return; /* JSON is better than nothing */
	}
	json_decref(json);
	free(a->owned);
	a->body = a->owned = bytes;
	a->len = len;
	a->type = cbor;
}
