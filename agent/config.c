#include "agent/config.h"

#include "host/buf.h"
#include "host/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, SIZE };

struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	bool required;
	uint64_t min, max;
	const char *preset, *help;
};

#define AT(member) offsetof(struct mue_config, member)

/* clang-format off */
static const struct key keys[] = {
	{ "server", TEXT, AT(server), true, 0, 0, "", "https://HOST[:PORT] of the update server" },
	{ "tenant", TEXT, AT(tenant), false, 0, 0, "DEFAULT", "tenant on the server" },
	{ "id", TEXT, AT(id), true, 0, 0, "", "controller id of this device" },
	{ "cert", TEXT, AT(cert), false, 0, 0, "", "client certificate, PEM (mue enroll makes one)" },
	{ "key", TEXT, AT(key), false, 0, 0, "", "its key: PEM file or pkcs11: URI" },
	{ "token", TEXT, AT(token), false, 0, 0, "", "target token, instead of a certificate" },
	{ "gateway", TEXT, AT(gateway), false, 0, 0, "", "gateway token, instead of a certificate" },
	{ "ca", TEXT, AT(ca), false, 0, 0, "", "CA of the server, PEM; without it the system's CAs" },
	{ "trust", TEXT, AT(trust), true, 0, 0, "", "folder of .pub keys that may sign releases" },
	{ "state", TEXT, AT(state), true, 0, 0, "", "folder of the agent's state" },
	{ "spool", TEXT, AT(spool), false, 0, 0, "", "folder that the fetch process writes (STATE/spool)" },
	{ "envelopes", TEXT, AT(envelopes), false, 0, 0, "", "folder of a.suit and b.suit (STATE/envelopes)" },
	{ "vendor", TEXT, AT(vendor), true, 0, 0, "", "vendor: UUID, or a name as given to mue pack" },
	{ "class", TEXT, AT(class_), true, 0, 0, "", "device class: UUID, or a name as given to mue pack" },
	{ "slot.a", TEXT, AT(slot[0]), true, 0, 0, "", "slot A: block device or image file" },
	{ "slot.b", TEXT, AT(slot[1]), true, 0, 0, "", "slot B: block device or image file" },
	{ "slot.size", SIZE, AT(slot_size), false, 0, UINT64_MAX, "0", "largest image, e.g. 64M; 0: the device's size" },
	{ "bootctl", TEXT, AT(bootctl), true, 0, 0, "", "boot control: sim:FILE or file:FILE" },
	{ "tries", NUMBER, AT(tries), false, 1, 255, "3", "boots given to a trial before the loader reverts" },
	{ "health", TEXT, AT(health), false, 0, 0, "", "folder of commands that a new image must pass" },
	{ "health.timeout", NUMBER, AT(health_timeout_s), false, 1, 86400, "60", "seconds for each of them, and to reach the server" },
	{ "battery", TEXT, AT(battery), false, 0, 0, "", "file with the battery's charge in percent" },
	{ "battery.min", NUMBER, AT(battery_min), false, 0, 100, "0", "percent below which nothing is installed" },
	{ "link", TEXT, AT(link), false, 0, 0, "", "class of the link (ethernet), or file:PATH that names it" },
	{ "link.allowed", TEXT, AT(link_allowed), false, 0, 0, "", "classes that may carry an update; empty: all" },
	{ "disk.min", SIZE, AT(disk_min), false, 0, UINT64_MAX, "1M", "bytes that must stay free where the state is" },
	{ "reboot", TEXT, AT(reboot), false, 0, 0, "", "command that reboots; needed with bootctl file:" },
	{ "user", TEXT, AT(user), false, 0, 0, "nobody", "unprivileged user of the fetch process" },
	{ "keystore", TEXT, AT(keystore), false, 0, 0, "", "folder that a software PKCS#11 token must write" },
	{ "confirm", TEXT, AT(confirm), false, 0, 0, "yes", "answer to confirmationBase: yes, no, or a file that must exist" },
	{ "poll", NUMBER, AT(poll_s), false, 1, 604800, "300", "seconds between polls when the server names none" },
	{ "retries", NUMBER, AT(retries), false, 1, 1000, "5", "attempts of a download that bring no new byte" },
	{ "retry", NUMBER, AT(retry_s), false, 0, 3600, "5", "seconds of the first pause between them; it doubles" },
	{ "attempts", NUMBER, AT(attempts_max), false, 1, 100000, "500", "attempts of one download at all" },
};
/* clang-format on */

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

struct parser {
	const char *name;
	unsigned line;
	bool seen[NKEYS];
	struct mue_config *c;
};

static int bad(const struct parser *p, struct mue_error *e, int code, const char *key,
	       const char *what, const char *remedy)
{
	return mue_fail(e, code, "%s:%u: %s: %s; remedy: %s", p->name, p->line, key, what, remedy);
}

static int to_number(const struct key *k, const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return MUE_EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return MUE_EINVAL;
	if (k->kind == SIZE && *end && (unit = strchr(units, toupper((unsigned char)*end)))) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		if (n > UINT64_MAX >> shift)
			return MUE_EINVAL;
		n <<= shift;
		end++;
	}
	if (*end || n < k->min || n > k->max)
		return MUE_EINVAL;
	*ret = n;
	return 0;
}

static int set_value(const struct parser *p, const struct key *k, const char *value,
		     struct mue_error *e)
{
	char *at = (char *)p->c + k->offset, remedy[96];

	if (k->kind == TEXT) {
		if (strlen(value) >= MUE_CONFIG_TEXT)
			return bad(p, e, MUE_EINVAL, k->name, "the value is too long",
				   "at most 255 bytes");
		memcpy(at, value, strlen(value) + 1);
		return 0;
	}
	if (to_number(k, value, (uint64_t *)(void *)at) == 0)
		return 0;
	snprintf(remedy, sizeof(remedy), "a number from %llu to %llu%s", (unsigned long long)k->min,
		 (unsigned long long)k->max, k->kind == SIZE ? ", K, M, G, T may follow" : "");
	return bad(p, e, MUE_EINVAL, k->name, "not a number in range", remedy);
}

static char *trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]);)
		s[--n] = 0;
	return s;
}

static int parse_line(struct parser *p, char *line, struct mue_error *e)
{
	char *equal, *name, *value;

	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	equal = strchr(line, '=');
	if (!equal)
		return bad(p, e, MUE_EFORMAT, "no `=` in the line", line, "write `key = value`");
	*equal = 0;
	name = trim(line);
	value = trim(equal + 1);
	for (size_t i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (p->seen[i])
			return bad(p, e, MUE_EFORMAT, name, "given twice", "keep one of them");
		p->seen[i] = true;
		return set_value(p, &keys[i], value, e);
	}
	return bad(p, e, MUE_EFORMAT, name, "no such key", "mue-agent --help lists the keys");
}

static bool one_of(const char *text, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(text, *prefixes, strlen(*prefixes)) == 0 && text[strlen(*prefixes)])
			return true;
	return false;
}

/* An id stands in URLs and in file names. */
static bool plain_id(const char *s)
{
	if (!*s || *s == '.' || strlen(s) > 128)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._:-", *s))
			return false;
	return true;
}

/* What belongs together.  NULL: all is well. */
static const char *mismatch(const struct mue_config *c, const char **ret_key,
			    const char **ret_remedy)
{
	static const char *const urls[] = { "https://", "http://", NULL };
	static const char *const boots[] = { "sim:", "file:", NULL };
	int identities = !!*c->cert + !!*c->token + !!*c->gateway;

	*ret_key = "server";
	*ret_remedy = "https://HOST[:PORT]";
	if (!one_of(c->server, urls))
		return "not a URL";
	*ret_key = "id";
	*ret_remedy = "at most 128 letters, digits, and . _ : -, as `mue enroll` takes it";
	if (!plain_id(c->id))
		return "not usable as an id";
	*ret_key = "tenant";
	if (!plain_id(c->tenant))
		return "not usable as a tenant";
	*ret_key = "cert";
	*ret_remedy = "give cert and key, or token, or gateway";
	if (identities != 1)
		return identities ? "more than one identity" : "no identity";
	*ret_key = "key";
	if (!!*c->cert != !!*c->key)
		return *c->key ? "without cert" : "missing for cert";
	*ret_key = "bootctl";
	*ret_remedy = "sim:FILE or file:FILE";
	if (!one_of(c->bootctl, boots))
		return "not known";
	*ret_key = "reboot";
	*ret_remedy = "a command, e.g. /sbin/reboot";
	if (strncmp(c->bootctl, "file:", 5) == 0 && !*c->reboot)
		return "missing for bootctl file:";
	*ret_key = "slot.b";
	*ret_remedy = "two places";
	if (strcmp(c->slot[0], c->slot[1]) == 0)
		return "the same as slot.a";
	return NULL;
}

static int finish(struct parser *p, struct mue_error *e)
{
	struct mue_config *c = p->c;
	const char *what, *key, *remedy;
	size_t n = strlen(c->server);

	for (size_t i = 0; i < NKEYS; i++)
		if (keys[i].required && !*((const char *)c + keys[i].offset))
			return mue_fail(e, MUE_ENODATA, "%s: %s is missing; remedy: %s = %s",
					p->name, keys[i].name, keys[i].name, keys[i].help);
	while (n > 0 && c->server[n - 1] == '/')
		c->server[--n] = 0;
	what = mismatch(c, &key, &remedy);
	if (what)
		return mue_fail(e, MUE_EINVAL, "%s: %s: %s; remedy: %s", p->name, key, what,
				remedy);
	if (!*c->spool && (size_t)snprintf(c->spool, sizeof(c->spool), "%.240s/spool", c->state) >=
				  sizeof(c->spool))
		return mue_fail(e, MUE_EINVAL, "%s: state: too long", p->name);
	if (!*c->envelopes)
		snprintf(c->envelopes, sizeof(c->envelopes), "%.240s/envelopes", c->state);
	return 0;
}

int mue_config_parse(const char *name, const char *text, size_t len, struct mue_config *ret,
		     struct mue_error *e)
{
	struct mue_config c = { 0 };
	struct parser p = { .name = name, .c = &c };
	char line[1024];
	int r = 0;

	for (size_t i = 0; r == 0 && i < NKEYS; i++)
		r = set_value(&p, &keys[i], keys[i].preset, e);
	while (r == 0 && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		p.line++;
		if (n >= sizeof(line) || memchr(text, 0, n))
			return bad(&p, e, MUE_EFORMAT, "the line", "too long, or not a text",
				   "at most 1023 bytes a line");
		memcpy(line, text, n);
		line[n] = 0;
		r = parse_line(&p, line, e);
		text += n + !!end;
		len -= n + !!end;
	}
	if (r == 0)
		r = finish(&p, e);
	if (r == 0)
		*ret = c;
	return r;
}

int mue_config_load(const char *path, struct mue_config *ret, struct mue_error *e)
{
	struct mue_buf b = { .max = MUE_CONFIG_FILE };
	int r = mue_file_read(path, &b, e);

	if (r == 0)
		r = mue_config_parse(path, mue_buf_str(&b), b.len, ret, e);
	mue_buf_free(&b);
	return r;
}

void mue_config_help(FILE *f)
{
	for (size_t i = 0; i < NKEYS; i++)
		fprintf(f, "  %-15s %s%s%s%s\n", keys[i].name, keys[i].help,
			*keys[i].preset    ? " ["
			: keys[i].required ? " (required)"
					   : "",
			keys[i].preset, *keys[i].preset ? "]" : "");
}
