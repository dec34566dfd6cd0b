#include "agent/ddi.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int broken(struct mue_error *e, const char *what)
{
	return mue_fail(e, MUE_EPROTOCOL, "the server's answer: %s", what);
}

static json_t *load(const char *json, size_t len, struct mue_error *e)
{
	json_error_t je;
	json_t *j = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);

	if (!j)
		mue_fail(e, MUE_EPROTOCOL, "the server's answer is no JSON: %.120s", je.text);
	else if (!json_is_object(j)) {
		json_decref(j);
		j = NULL;
		broken(e, "not an object");
	}
	return j;
}

/* A member that is a text; absent or null gives "".  False: of another type, or too long. */
static bool get_text(const json_t *o, const char *name, char *ret, size_t ret_size)
{
	const json_t *v = json_object_get(o, name);

	*ret = 0;
	if (!v || json_is_null(v))
		return true;
	if (!json_is_string(v) || json_string_length(v) >= ret_size ||
	    strlen(json_string_value(v)) != json_string_length(v))
		return false;
	memcpy(ret, json_string_value(v), json_string_length(v) + 1);
	return true;
}

/* Ids are strings in the specification and numbers in some servers.  They go into URLs. */
static bool get_id(const json_t *o, const char *name, char ret[MUE_IPC_ACTION])
{
	const json_t *v = json_object_get(o, name);

	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		snprintf(ret, MUE_IPC_ACTION, "%lld", (long long)json_integer_value(v));
		return true;
	}
	if (!v || !get_text(o, name, ret, MUE_IPC_ACTION) || !*ret || *ret == '.')
		return false;
	for (const char *p = ret; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return true;
}

static bool get_href(const json_t *links, const char *name, const char *origin, char *ret)
{
	const json_t *link = json_object_get(links, name);
	char text[MUE_DDI_URL];
	int n;

	*ret = 0;
	if (!link || json_is_null(link))
		return true;
	if (!json_is_object(link) || !get_text(link, "href", text, sizeof(text)))
		return false;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	if (text[0] == '/' && text[1] != '/') {
		n = snprintf(ret, MUE_DDI_URL, "%s%s", origin, text);
		return n > 0 && n < MUE_DDI_URL;
	}
	if (*text && strncasecmp(text, "https://", 8) != 0 && strncasecmp(text, "http://", 7) != 0)
		return false;
	memcpy(ret, text, sizeof(text));
	return true;
}

int mue_ddi_parse_sleep(const char *text, uint32_t *ret_s)
{
	uint64_t part[3] = { 0, 0, 0 };

	for (int i = 0; i < 3; i++) {
		int digits = 0;

		for (; isdigit((unsigned char)*text); text++, digits++)
			part[i] = part[i] * 10 + (uint64_t)(*text - '0');
		if (digits < 1 || digits > (i ? 2 : 5) || *text != (i < 2 ? ':' : 0))
			return MUE_EFORMAT;
		text++;
	}
	if (part[1] > 59 || part[2] > 59)
		return MUE_EFORMAT;
	*ret_s = (uint32_t)(part[0] * 3600 + part[1] * 60 + part[2]);
	return 0;
}

int mue_ddi_parse_base(const char *json, size_t len, const char *origin, struct mue_ddi_base *ret,
		       struct mue_error *e)
{
	struct mue_ddi_base b = { 0 };
	json_t *j = load(json, len, e);
	const json_t *links, *polling;
	char sleep[32];
	int r = 0;

	if (!j)
		return MUE_EPROTOCOL;
	polling = json_object_get(json_object_get(j, "config"), "polling");
	links = json_object_get(j, "_links");
	if (links && !json_is_object(links) && !json_is_null(links))
		r = broken(e, "_links is no object");
	/* A wrong `sleep` must not keep a device from its updates. */
	if (!get_text(polling, "sleep", sleep, sizeof(sleep)) ||
	    mue_ddi_parse_sleep(sleep, &b.sleep_s) < 0)
		b.sleep_s = 0;
	if (r == 0 && (!get_href(links, "deploymentBase", origin, b.deployment) ||
		       !get_href(links, "cancelAction", origin, b.cancel) ||
		       !get_href(links, "confirmationBase", origin, b.confirmation) ||
		       !get_href(links, "configData", origin, b.config)))
		r = broken(e, "a link is no usable URL");
	json_decref(j);
	if (r == 0)
		*ret = b;
	return r;
}

static bool get_handling(const json_t *o, const char *name, enum mue_ddi_handling *ret)
{
	static const char *const names[] = { "skip", "attempt", "forced" };
	char text[16];

	if (!get_text(o, name, text, sizeof(text)))
		return false;
	*ret = MUE_DDI_ATTEMPT; /* what hawkBit means by absence */
	if (!*text)
		return true;
	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum mue_ddi_handling)i;
			return true;
		}
	return false;
}

/* Names are matched with the manifest's URIs: a path or a control character is none. */
static bool plain_name(const char *s)
{
	if (!*s || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == '/' || *s == 0x7f)
			return false;
	return true;
}

static int parse_file(const json_t *a, const char *origin, struct mue_ddi_file *f,
		      struct mue_error *e)
{
	const json_t *links = json_object_get(a, "_links"), *size = json_object_get(a, "size");
	char plain[MUE_DDI_URL];

	if (!json_is_object(a) || !get_text(a, "filename", f->name, sizeof(f->name)) ||
	    !plain_name(f->name))
		return broken(e, "an artifact without a usable filename");
	f->size = UINT64_MAX;
	if (json_is_integer(size) && json_integer_value(size) >= 0)
		f->size = (uint64_t)json_integer_value(size);
	if (!get_text(json_object_get(a, "hashes"), "sha256", f->sha256, sizeof(f->sha256)) ||
	    (*f->sha256 && strlen(f->sha256) != 64))
		return broken(e, "an artifact's sha256 is not one");
	if (!get_href(links, "download", origin, f->url) ||
	    !get_href(links, "download-http", origin, plain))
		return broken(e, "an artifact's link is no usable URL");
	if (!*f->url)
		memcpy(f->url, plain, sizeof(plain));
	if (!*f->url)
		return mue_fail(e, MUE_EPROTOCOL,
				"the server's answer: artifact %.100s has no link", f->name);
	return 0;
}

static int parse_chunks(const json_t *chunks, const char *origin, struct mue_ddi_deployment *d,
			struct mue_error *e)
{
	const json_t *chunk, *artifact;
	size_t i, k;
	int r;

	if (!json_is_array(chunks))
		return broken(e, "chunks is no array");
	json_array_foreach(chunks, i, chunk)
	{
		const json_t *artifacts = json_object_get(chunk, "artifacts");

		if (!json_is_object(chunk) || (artifacts && !json_is_array(artifacts)))
			return broken(e, "a chunk is not one");
		json_array_foreach(artifacts, k, artifact)
		{
			if (d->count == MUE_DDI_FILES)
				return broken(e, "more than 64 artifacts");
			r = parse_file(artifact, origin, &d->files[d->count], e);
			if (r < 0)
				return r;
			d->count++;
		}
	}
	return 0;
}

static int parse_deployment(const json_t *j, const char *origin, struct mue_ddi_deployment *d,
			    struct mue_error *e)
{
	const json_t *o = json_object_get(j, "deployment");
	char window[16];

	if (!o)
		o = json_object_get(j, "confirmation");
	if (!get_id(j, "id", d->id))
		return broken(e, "no usable action id");
	if (!json_is_object(o))
		return broken(e, "no deployment in it");
	if (!get_handling(o, "download", &d->download) || !get_handling(o, "update", &d->update))
		return broken(e, "download or update is none of skip, attempt, forced");
	if (!get_text(o, "maintenanceWindow", window, sizeof(window)))
		return broken(e, "maintenanceWindow is not a text");
	/* Absent: there is no window to wait for; any word but `available`: it is not open. */
	d->closed_window = *window && strcmp(window, "available") != 0;
	return parse_chunks(json_object_get(o, "chunks"), origin, d, e);
}

int mue_ddi_parse_deployment(const char *json, size_t len, const char *origin,
			     struct mue_ddi_deployment *ret, struct mue_error *e)
{
	struct mue_ddi_deployment *d = calloc(1, sizeof(*d)); /* 66 kB: not for the stack */
	json_t *j = d ? load(json, len, e) : NULL;
	int r;

	if (!d)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = j ? parse_deployment(j, origin, d, e) : MUE_EPROTOCOL;
	if (r == 0)
		*ret = *d;
	json_decref(j);
	free(d);
	return r;
}

int mue_ddi_parse_cancel(const char *json, size_t len, struct mue_ddi_cancel *ret,
			 struct mue_error *e)
{
	struct mue_ddi_cancel c = { 0 };
	json_t *j = load(json, len, e);
	int r = 0;

	if (!j)
		return MUE_EPROTOCOL;
	if (!get_id(j, "id", c.id) || !get_id(json_object_get(j, "cancelAction"), "stopId", c.stop))
		r = broken(e, "no usable id or stopId");
	json_decref(j);
	if (r == 0)
		*ret = c;
	return r;
}

static bool is_envelope(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".suit") == 0;
}

/* Two entries of one file, as a release of several modules has them. */
static bool same_file(const struct mue_ddi_file *a, const struct mue_ddi_file *b)
{
	return strcmp(a->name, b->name) == 0 && strcasecmp(a->sha256, b->sha256) == 0 &&
	       a->size == b->size;
}

int mue_ddi_find_envelope(const struct mue_ddi_deployment *d, const struct mue_ddi_file **ret,
			  struct mue_error *e)
{
	const struct mue_ddi_file *found = NULL;

	for (size_t i = 0; i < d->count; i++) {
		if (!is_envelope(d->files[i].name))
			continue;
		if (found && !same_file(found, &d->files[i]))
			return mue_fail(e, MUE_ECONFLICT,
					"two different envelopes: %.80s and %.80s; remedy: one "
					"release a distribution set",
					found->name, d->files[i].name);
		found = found ? found : &d->files[i];
	}
	if (!found)
		return mue_fail(e, MUE_ENOTFOUND,
				"no .suit envelope among the %zu artifacts; remedy: mue publish",
				d->count);
	*ret = found;
	return 0;
}

int mue_ddi_find_file(const struct mue_ddi_deployment *d, const char *name,
		      const struct mue_ddi_file **ret, struct mue_error *e)
{
	const struct mue_ddi_file *found = NULL;

	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->files[i].name, name) != 0)
			continue;
		if (found && !same_file(found, &d->files[i]))
			return mue_fail(e, MUE_ECONFLICT,
					"two different artifacts are named %.100s", name);
		found = found ? found : &d->files[i];
	}
	if (!found)
		return mue_fail(e, MUE_ENOTFOUND,
				"the manifest wants %.100s, which is not among the %zu artifacts",
				name, d->count);
	*ret = found;
	return 0;
}

bool mue_ddi_same_origin(const char *url, const char *origin)
{
	size_t n = strlen(origin);

	return strncasecmp(url, origin, n) == 0 && (url[n] == '/' || url[n] == '?' || !url[n]);
}

static int dump(json_t *j, struct mue_buf *ret)
{
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	int r = text ? mue_buf_add_str(ret, text) : MUE_ENOMEM;

	free(text);
	json_decref(j);
	return r;
}

/* What each kind of report is in DDI's words: execution, result. */
static const char *const words[][2] = {
	[MUE_REPORT_PROCEEDING] = { "proceeding", "none" },
	[MUE_REPORT_DOWNLOADED] = { "downloaded", "none" },
	[MUE_REPORT_SUCCESS] = { "closed", "success" },
	[MUE_REPORT_FAILURE] = { "closed", "failure" },
	[MUE_REPORT_CANCEL_DONE] = { "closed", "success" },
	[MUE_REPORT_CANCEL_REJECTED] = { "rejected", "none" },
};

int mue_ddi_feedback(const struct mue_ddi_report *r, struct mue_buf *ret)
{
	json_t *status;

	if (r->kind < MUE_REPORT_PROCEEDING || r->kind > MUE_REPORT_CANCEL_REJECTED)
		return MUE_EINVAL;
	status = json_pack("{s:s, s:{s:s}}", "execution", words[r->kind][0], "result", "finished",
			   words[r->kind][1]);
	if (status && r->text && *r->text)
		json_object_set_new(status, "details", json_pack("[s]", r->text));
	if (status && r->code)
		json_object_set_new(status, "code", json_integer(r->code));
	return dump(json_pack("{s:s, s:I, s:o}", "id", r->action, "timestamp",
			      (json_int_t)r->time_ms, "status", status),
		    ret);
}

int mue_ddi_config_data(const char *const (*pairs)[2], size_t count, struct mue_buf *ret)
{
	json_t *data = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(data, pairs[i][0], json_string(pairs[i][1]));
	return dump(json_pack("{s:s, s:o}", "mode", "merge", "data", data), ret);
}

int mue_ddi_confirmation(bool confirmed, const char *text, struct mue_buf *ret)
{
	return dump(json_pack("{s:s, s:[s]}", "confirmation", confirmed ? "confirmed" : "denied",
			      "details", text),
		    ret);
}
