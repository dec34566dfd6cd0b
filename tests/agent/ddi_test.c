/* DDI's JSON as our server and rival ones write it, and as broken ones do. */
#include "agent/ddi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORIGIN "https://s:8443"

static const struct {
	const char *says, *json;
	int verdict;
	uint32_t sleep_s;
	const char *deployment, *cancel;
} bases[] = {
	{ "nothing to do", "{\"config\":{\"polling\":{\"sleep\":\"12:00:00\"}}}", 0, 43200, "",
	  "" },
	{ "hawkBit's answer with a deployment",
	  "{\"config\":{\"polling\":{\"sleep\":\"00:00:30\"}},\"_links\":{\"deploymentBase\":{"
	  "\"href\":\"https://s:8443/DEFAULT/controller/v1/c/deploymentBase/5?c=-2127183556\"},"
	  "\"configData\":{\"href\":\"https://s:8443/DEFAULT/controller/v1/c/configData\"}}}",
	  0, 30, "https://s:8443/DEFAULT/controller/v1/c/deploymentBase/5?c=-2127183556", "" },
	{ "a link without scheme and host",
	  "{\"_links\":{\"cancelAction\":{\"href\":\"/D/controller/v1/c/cancelAction/7\"}}}", 0, 0,
	  "", "https://s:8443/D/controller/v1/c/cancelAction/7" },
	{ "sleep of more than a day, as Zephyr refuses it",
	  "{\"config\":{\"polling\":{\"sleep\":\"100:00:01\"}}}", 0, 360001, "", "" },
	{ "a sleep that is none must not keep us from the links",
	  "{\"config\":{\"polling\":{\"sleep\":\"soon\"}},\"_links\":{\"cancelAction\":{\"href\":"
	  "\"http://x/y\"}}}",
	  0, 0, "", "http://x/y" },
	{ "null members are absent ones", "{\"config\":null,\"_links\":null}", 0, 0, "", "" },
	{ "an empty object", "{}", 0, 0, "", "" },
	{ "no JSON", "<html>", MUE_EPROTOCOL, 0, "", "" },
	{ "an array", "[]", MUE_EPROTOCOL, 0, "", "" },
	{ "a member twice", "{\"config\":{},\"config\":{}}", MUE_EPROTOCOL, 0, "", "" },
	{ "a link that is no object", "{\"_links\":{\"deploymentBase\":5}}", MUE_EPROTOCOL, 0, "",
	  "" },
	{ "a link to a file", "{\"_links\":{\"deploymentBase\":{\"href\":\"file:///etc/passwd\"}}}",
	  MUE_EPROTOCOL, 0, "", "" },
	{ "a link without a scheme but with a host",
	  "{\"_links\":{\"deploymentBase\":{\"href\":\"//evil/x\"}}}", MUE_EPROTOCOL, 0, "", "" },
	{ "a link with a blank", "{\"_links\":{\"deploymentBase\":{\"href\":\"https://a/b c\"}}}",
	  MUE_EPROTOCOL, 0, "", "" },
	{ "a text with a hidden end",
	  "{\"_links\":{\"deploymentBase\":{\"href\":\"https://a/\\u0000\"}}}", MUE_EPROTOCOL, 0,
	  "", "" },
};

static void each_poll_answer_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct mue_error e = { 0 };
		struct mue_ddi_base b = { 0 };
		int r = mue_ddi_parse_base(bases[i].json, strlen(bases[i].json), ORIGIN, &b, &e);

		if (r != bases[i].verdict || b.sleep_s != bases[i].sleep_s ||
		    strcmp(b.deployment, bases[i].deployment) != 0 ||
		    strcmp(b.cancel, bases[i].cancel) != 0)
			fail_msg("%s: got %d %u \"%s\" \"%s\" (%s)", bases[i].says, r, b.sleep_s,
				 b.deployment, b.cancel, e.text);
	}
}

#define FILE_(name, sha, size)                                                               \
	"{\"filename\":\"" name "\",\"hashes\":{\"sha1\":\"x\",\"sha256\":\"" sha            \
	"\"},\"size\":" size ",\"_links\":{\"download\":{\"href\":\"https://s:8443/dl/" name \
	"\"},\"md5sum\":{\"href\":\"https://s:8443/dl/" name ".MD5SUM\"}}}"
#define SHA_A                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B                    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DEPLOY(id, head, chunks) "{\"id\":" id ",\"deployment\":{" head "\"chunks\":[" chunks "]}}"
#define CHUNK(files)             "{\"part\":\"os\",\"version\":\"1\",\"name\":\"n\",\"artifacts\":[" files "]}"

static const struct {
	const char *says, *json;
	int verdict;
	const char *id;
	enum mue_ddi_handling download, update;
	bool closed;
	size_t files;
	int envelope; /* verdict of finding it */
} deployments[] = {
	{ "one module with envelope and payload",
	  DEPLOY("\"8\"", "\"download\":\"forced\",\"update\":\"forced\",",
		 CHUNK(FILE_("r-1.suit", SHA_A, "900") "," FILE_("r.img", SHA_B, "4096"))),
	  0, "8", MUE_DDI_FORCED, MUE_DDI_FORCED, false, 2, 0 },
	{ "the id as a number, as SWUpdate's servers have it",
	  DEPLOY("8", "", CHUNK(FILE_("r-1.suit", SHA_A, "900"))), 0, "8", MUE_DDI_ATTEMPT,
	  MUE_DDI_ATTEMPT, false, 1, 0 },
	{ "several modules carry the same envelope",
	  DEPLOY("\"9\"", "\"update\":\"skip\",",
		 CHUNK(FILE_("r-1.suit", SHA_A, "900")) "," CHUNK(
			 FILE_("r-1.suit", SHA_A, "900") "," FILE_("app", SHA_B, "1"))),
	  0, "9", MUE_DDI_ATTEMPT, MUE_DDI_SKIP, false, 3, 0 },
	{ "two different envelopes are a contradiction",
	  DEPLOY("\"9\"", "",
		 CHUNK(FILE_("r-1.suit", SHA_A, "900") "," FILE_("r-1.suit", SHA_B, "900"))),
	  0, "9", MUE_DDI_ATTEMPT, MUE_DDI_ATTEMPT, false, 2, MUE_ECONFLICT },
	{ "no envelope at all", DEPLOY("\"9\"", "", CHUNK(FILE_("app", SHA_A, "900"))), 0, "9",
	  MUE_DDI_ATTEMPT, MUE_DDI_ATTEMPT, false, 1, MUE_ENOTFOUND },
	{ "a module without artifacts",
	  DEPLOY("\"9\"", "", "{\"part\":\"os\",\"version\":\"1\",\"name\":\"n\"}"), 0, "9",
	  MUE_DDI_ATTEMPT, MUE_DDI_ATTEMPT, false, 0, MUE_ENOTFOUND },
	{ "outside the maintenance window",
	  DEPLOY("\"9\"", "\"maintenanceWindow\":\"unavailable\",",
		 CHUNK(FILE_("r-1.suit", SHA_A, "900"))),
	  0, "9", MUE_DDI_ATTEMPT, MUE_DDI_ATTEMPT, true, 1, 0 },
	{ "inside the maintenance window",
	  DEPLOY("\"9\"", "\"maintenanceWindow\":\"available\",", ""), 0, "9", MUE_DDI_ATTEMPT,
	  MUE_DDI_ATTEMPT, false, 0, MUE_ENOTFOUND },
	{ "only a plain http link, as Zephyr's servers have it",
	  DEPLOY("\"9\"", "",
		 CHUNK("{\"filename\":\"x.suit\",\"size\":1,\"_links\":{\"download-http\":{"
		       "\"href\":\"http://s/x\"}}}")),
	  0, "9", MUE_DDI_ATTEMPT, MUE_DDI_ATTEMPT, false, 1, 0 },
	{ "an artifact without a link",
	  DEPLOY("\"9\"", "", CHUNK("{\"filename\":\"x.suit\",\"size\":1}")), MUE_EPROTOCOL, "", 0,
	  0, false, 0, 0 },
	{ "a file name that climbs out", DEPLOY("\"9\"", "", CHUNK(FILE_("../x.suit", SHA_A, "1"))),
	  MUE_EPROTOCOL, "", 0, 0, false, 0, 0 },
	{ "an unknown way of handling", DEPLOY("\"9\"", "\"update\":\"maybe\",", ""), MUE_EPROTOCOL,
	  "", 0, 0, false, 0, 0 },
	{ "an id that would leave the URL", DEPLOY("\"../8\"", "", ""), MUE_EPROTOCOL, "", 0, 0,
	  false, 0, 0 },
	{ "a negative id", DEPLOY("-8", "", ""), MUE_EPROTOCOL, "", 0, 0, false, 0, 0 },
	{ "no id", "{\"deployment\":{\"chunks\":[]}}", MUE_EPROTOCOL, "", 0, 0, false, 0, 0 },
	{ "no deployment", "{\"id\":\"3\"}", MUE_EPROTOCOL, "", 0, 0, false, 0, 0 },
	{ "chunks that are none", "{\"id\":\"3\",\"deployment\":{\"chunks\":{}}}", MUE_EPROTOCOL,
	  "", 0, 0, false, 0, 0 },
	{ "a sha256 of the wrong length", DEPLOY("\"9\"", "", CHUNK(FILE_("x.suit", "aa", "1"))),
	  MUE_EPROTOCOL, "", 0, 0, false, 0, 0 },
};

static void each_deployment_is_read(void **state)
{
	struct mue_ddi_deployment *d = malloc(sizeof(*d));
	const struct mue_ddi_file *f;

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < sizeof(deployments) / sizeof(deployments[0]); i++) {
		struct mue_error e = { 0 };
		int r;

		memset(d, 0, sizeof(*d));
		r = mue_ddi_parse_deployment(deployments[i].json, strlen(deployments[i].json),
					     ORIGIN, d, &e);
		if (r != deployments[i].verdict || strcmp(d->id, deployments[i].id) != 0 ||
		    d->download != deployments[i].download || d->update != deployments[i].update ||
		    d->closed_window != deployments[i].closed || d->count != deployments[i].files)
			fail_msg("%s: got %d id \"%s\" %zu files (%s)", deployments[i].says, r,
				 d->id, d->count, e.text);
		if (r == 0 && mue_ddi_find_envelope(d, &f, &e) != deployments[i].envelope)
			fail_msg("%s: the envelope: %s", deployments[i].says, e.text);
	}
	free(d);
}

static void a_payload_is_found_by_its_name(void **state)
{
	static const char json[] = DEPLOY("\"8\"", "",
					  CHUNK(FILE_("a", SHA_A, "1") "," FILE_(
						  "b", SHA_B, "2") "," FILE_("b", SHA_A, "2")));
	struct mue_ddi_deployment *d = calloc(1, sizeof(*d));
	const struct mue_ddi_file *f = NULL;

	(void)state;
	assert_non_null(d);
	assert_int_equal(mue_ddi_parse_deployment(json, strlen(json), ORIGIN, d, NULL), 0);
	assert_int_equal(mue_ddi_find_file(d, "a", &f, NULL), 0);
	assert_string_equal(f->url, "https://s:8443/dl/a");
	assert_int_equal(mue_ddi_find_file(d, "b", &f, NULL), MUE_ECONFLICT);
	assert_int_equal(mue_ddi_find_file(d, "c", &f, NULL), MUE_ENOTFOUND);
	free(d);
}

static const struct {
	const char *text;
	int verdict;
	uint32_t s;
} sleeps[] = {
	{ "00:00:00", 0, 0 },
	{ "12:00:00", 0, 43200 },
	{ "1:0:5", 0, 3605 },
	{ "99999:59:59", 0, 360000000u - 1 },
	{ "00:60:00", MUE_EFORMAT, 0 },
	{ "00:00:61", MUE_EFORMAT, 0 },
	{ "", MUE_EFORMAT, 0 },
	{ "00:00", MUE_EFORMAT, 0 },
	{ "00:00:00 ", MUE_EFORMAT, 0 },
	{ "-1:00:00", MUE_EFORMAT, 0 },
	{ "000:000:00", MUE_EFORMAT, 0 },
	{ "123456:00:00", MUE_EFORMAT, 0 },
};

static void sleep_is_hours_minutes_seconds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sleeps) / sizeof(sleeps[0]); i++) {
		uint32_t s = 0;
		int r = mue_ddi_parse_sleep(sleeps[i].text, &s);

		if (r != sleeps[i].verdict || s != sleeps[i].s)
			fail_msg("\"%s\": got %d, %u s", sleeps[i].text, r, s);
	}
}

static void a_cancel_names_what_it_stops(void **state)
{
	static const struct {
		const char *json, *id, *stop;
		int verdict;
	} rows[] = {
		{ "{\"id\":\"11\",\"cancelAction\":{\"stopId\":\"10\"}}", "11", "10", 0 },
		{ "{\"id\":11,\"cancelAction\":{\"stopId\":10}}", "11", "10", 0 },
		{ "{\"id\":\"11\"}", "", "", MUE_EPROTOCOL },
		{ "{\"cancelAction\":{\"stopId\":\"10\"}}", "", "", MUE_EPROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_ddi_cancel c = { 0 };
		int r = mue_ddi_parse_cancel(rows[i].json, strlen(rows[i].json), &c, NULL);

		if (r != rows[i].verdict || strcmp(c.id, rows[i].id) != 0 ||
		    strcmp(c.stop, rows[i].stop) != 0)
			fail_msg("%s: got %d \"%s\" \"%s\"", rows[i].json, r, c.id, c.stop);
	}
}

static void feedback_is_written_in_the_servers_words(void **state)
{
	static const struct {
		enum mue_report_kind kind;
		int code;
		const char *json;
	} rows[] = {
		{ MUE_REPORT_SUCCESS, 0,
		  "{\"id\":\"5\",\"timestamp\":7,\"status\":{\"execution\":\"closed\",\"result\":{"
		  "\"finished\":\"success\"},\"details\":[\"t\"]}}" },
		{ MUE_REPORT_FAILURE, MUE_EHEALTH,
		  "{\"id\":\"5\",\"timestamp\":7,\"status\":{\"execution\":\"closed\",\"result\":{"
		  "\"finished\":\"failure\"},\"details\":[\"t\"],\"code\":-27}}" },
		{ MUE_REPORT_DOWNLOADED, 0,
		  "{\"id\":\"5\",\"timestamp\":7,\"status\":{\"execution\":\"downloaded\","
		  "\"result\":{\"finished\":\"none\"},\"details\":[\"t\"]}}" },
		{ MUE_REPORT_CANCEL_REJECTED, 0,
		  "{\"id\":\"5\",\"timestamp\":7,\"status\":{\"execution\":\"rejected\",\"result\":"
		  "{\"finished\":\"none\"},\"details\":[\"t\"]}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_ddi_report r = { "5", rows[i].kind, rows[i].code, "t", 7 };
		struct mue_buf b = { .max = 1024 };

		assert_int_equal(mue_ddi_feedback(&r, &b), 0);
		assert_string_equal(mue_buf_str(&b), rows[i].json);
		mue_buf_free(&b);
	}
}

static void an_identity_stays_with_its_origin(void **state)
{
	(void)state;
	assert_true(mue_ddi_same_origin("https://s:8443/x", ORIGIN));
	assert_true(mue_ddi_same_origin("HTTPS://S:8443?x", ORIGIN));
	assert_false(mue_ddi_same_origin("https://s:84430/x", ORIGIN));
	assert_false(mue_ddi_same_origin("http://s:8443/x", ORIGIN));
	assert_false(mue_ddi_same_origin("https://s:8443.evil/x", ORIGIN));
	assert_false(mue_ddi_same_origin("https://s:8443@evil/x", ORIGIN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_poll_answer_is_read),
		cmocka_unit_test(each_deployment_is_read),
		cmocka_unit_test(a_payload_is_found_by_its_name),
		cmocka_unit_test(sleep_is_hours_minutes_seconds),
		cmocka_unit_test(a_cancel_names_what_it_stops),
		cmocka_unit_test(feedback_is_written_in_the_servers_words),
		cmocka_unit_test(an_identity_stays_with_its_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
