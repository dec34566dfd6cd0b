#include "agent/install.h"

#include "core/bootstate.h"
#include "host/bootname.h"
#include "host/file.h"
#include "host/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *mue_install_slot_name(uint8_t slot)
{
	return slot == MUE_SLOT_B ? "b" : "a";
}

static void envelope_path(const struct mue_install *in, uint8_t slot, char ret[300])
{
	snprintf(ret, 300, "%s/%s.suit", in->c->envelopes, mue_install_slot_name(slot));
}

/* What runs, by the envelope that the loader verified before it started us. */
static void load_running(struct mue_install *in)
{
	struct mue_buf b = { .max = MUE_IPC_ENVELOPE };
	struct mue_suit_info *info = calloc(1, sizeof(*info));
	struct mue_suit suit;
	char path[300];

	envelope_path(in, in->running, path);
	if (info && mue_file_read(path, &b, NULL) == 0 &&
	    mue_suit_open((struct mue_view){ b.data, b.len }, MUE_SUIT_P2, &suit) == 0 &&
	    mue_suit_describe(&suit, info) == 0) {
		mue_release_facts(info, &in->device.running);
		in->device.known = true;
	} else {
		mue_log(MUE_LOG_WARN, "device.unknown-release", "envelope", path, NULL);
		snprintf(in->device.running.version, sizeof(in->device.running.version), "unknown");
	}
	mue_buf_free(&b);
	free(info);
}

static int find_running(struct mue_install *in, const char *slot, const char *reason,
			struct mue_error *e)
{
	struct mue_boot_view v;
	int r = in->boot.ops->view(&in->boot, &v, e);

	if (r < 0)
		return r;
	in->running = v.active;
	in->device.floor = v.counter;
	if (slot && strcmp(slot, "a") != 0 && strcmp(slot, "b") != 0)
		return mue_fail(e, MUE_EINVAL, "MUE_BOOT_SLOT is %s, not a or b", slot);
	if (slot)
		in->running = *slot == 'b';
	in->device.slot = (uint8_t)!in->running;
	snprintf(in->reason, sizeof(in->reason), "%s",
		 reason ? reason : mue_boot_reason_name(v.reason));
	return 0;
}

int mue_install_init(struct mue_install *in, const struct mue_config *c, const char *slot,
		     const char *reason, struct mue_error *e)
{
	char journal[300];
	int r;

	memset(in, 0, sizeof(*in));
	in->c = c;
	in->sock = -1;
	in->envelope.max = MUE_IPC_ENVELOPE;
	in->packet = malloc(MUE_IPC_DATA);
	if (!in->packet)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (mue_installer_same(c->slot[0], c->slot[1]))
		return mue_fail(e, MUE_EINVAL, "slot.a and slot.b are the same medium: %s",
				c->slot[0]);
	snprintf(journal, sizeof(journal), "%s/progress", c->state);
	r = mue_bootctl_init(&in->boot, c->bootctl, e);
	if (r == 0)
		r = find_running(in, slot, reason, e);
	if (r == 0)
		r = mue_trust_load(c->trust, &in->trust, e);
	if (r == 0 && in->trust.count == 0)
		r = mue_fail(e, MUE_ENODATA,
			     "trust: %s holds no .pub key; remedy: copy the "
			     "product's release keys there",
			     c->trust);
	if (r == 0)
		r = mue_device_ids(c, &in->device, e);
	if (r == 0)
		r = mue_installer_init(&in->place, c->slot[in->device.slot], c->slot_size, e);
	if (r == 0)
		r = mue_installer_init(&in->journal, journal, 0, e);
	if (r == 0)
		r = mue_action_load(c->state, &in->action, e);
	if (r == 0)
		load_running(in);
	return r;
}

void mue_install_free(struct mue_install *in)
{
	mue_trust_free(&in->trust);
	mue_buf_free(&in->envelope);
	free(in->packet);
}

int mue_install_report(struct mue_install *in, enum mue_report_kind kind, int code,
		       const char *text, struct mue_error *e)
{
	struct mue_ipc_msg m;
	int r;

	if (!*in->action.id)
		return 0; /* nobody asked for it: nobody to tell */
	mue_ipc_make(&m, MUE_IPC_REPORT, in->action.id);
	m.kind = (uint32_t)kind;
	m.verdict = code;
	snprintf(m.text, sizeof(m.text), "%s", text);
	r = mue_ipc_send(in->sock, &m, NULL, 0, e);
	if (r == 0)
		r = mue_ipc_recv(in->sock, &m, NULL, NULL, MUE_IPC_TIMEOUT * 1000, e);
	if (r == 0 && m.type != MUE_IPC_STORED)
		r = mue_fail(e, MUE_EPROTOCOL, "fetch answers REPORT with %u", m.type);
	if (r == 0 && m.verdict < 0)
		r = mue_fail(e, m.verdict, "the report could not be stored");
	return r;
}

static int answer(struct mue_install *in, const char *action, int verdict, uint32_t flags,
		  const char *text, struct mue_error *e)
{
	struct mue_ipc_msg m;

	mue_ipc_make(&m, MUE_IPC_VERDICT, action);
	m.verdict = verdict;
	m.flags = flags | (in->wanted ? MUE_IPC_BEGUN : 0);
	snprintf(m.text, sizeof(m.text), "%s", text);
	in->told = true;
	if (verdict < 0)
		mue_log(MUE_LOG_WARN, "install.refused", "action", action, "verdict",
			mue_err_name(verdict), "why", text, NULL);
	return mue_ipc_send(in->sock, &m, NULL, 0, e);
}

/* --- the payload: from fetch into the slot --- */

/* Forgets what was begun: the slot holds nothing of worth. */
static void discard(struct mue_install *in)
{
	struct mue_error e = { 0 };

	in->ready = false;
	if (mue_session_void(&in->journal, &e) < 0 || mue_action_clear(in->c->state, &e) < 0)
		mue_log(MUE_LOG_WARN, "install.discard", "why", e.text, NULL);
	memset(&in->action, 0, sizeof(in->action));
}

/* Takes packets until END.  A write that fails is told at once, the rest is thrown away. */
static int receive(struct mue_install *in, struct mue_session *s, struct mue_error *e)
{
	struct mue_ipc_msg m;
	struct mue_error gone;
	size_t len;
	int verdict = 0;

	for (;;) {
		int r = mue_ipc_recv(in->sock, &m, in->packet, &len, -1, &gone);

		if (r < 0) {
			*e = gone;
			return r;
		}
		if (m.type == MUE_IPC_END)
			break;
		if (m.type != MUE_IPC_DATA_)
			return mue_fail(e, MUE_EPROTOCOL, "fetch sends %u instead of data", m.type);
		if (verdict < 0)
			continue;
		verdict = mue_session_write(s, in->packet, len, e);
		if (verdict < 0 && answer(in, in->action.id, verdict, 0, e->text, &gone) < 0)
			return verdict;
	}
	if (verdict == 0 && m.verdict < 0)
		verdict = mue_fail(e, m.verdict, "%.250s", m.text);
	return verdict;
}

static int stream(struct mue_install *in, struct mue_session *s, struct mue_view name,
		  struct mue_error *e)
{
	struct mue_ipc_msg m;
	int r;

	mue_ipc_make(&m, MUE_IPC_WANT, in->action.id);
	if (name.len == 0 || name.len >= sizeof(m.name) || memchr(name.data, '/', name.len))
		return mue_fail(e, MUE_EPROFILE, "the payload's URI is no file name");
	memcpy(m.name, name.data, name.len);
	m.offset = s->offset;
	m.size = s->size;
	in->wanted = true;
	r = mue_ipc_send(in->sock, &m, NULL, 0, e);
	return r < 0 ? r : receive(in, s, e);
}

/* From here on the slot's old content is lost: the loader is told first. */
static int begin(struct mue_install *in, struct mue_error *e)
{
	int r;

	in->action.phase = MUE_ACTION_WRITING;
	in->action.slot = in->device.slot;
	in->action.reboots = 0;
	memcpy(in->action.digest, in->offered.digest, sizeof(in->action.digest));
	r = mue_action_store(in->c->state, &in->action, e);
	return r < 0 ? r : in->boot.ops->begin_write(&in->boot, in->device.slot, e);
}

static int fill_slot(struct mue_install *in, const struct mue_suit_params *p, struct mue_error *e)
{
	struct mue_session s;
	struct mue_view inside;
	int r = mue_session_open(&s, &in->place, &in->journal, in->offered.digest, p->size, e);

	if (r < 0)
		return r;
	if (s.offset < s.size)
		r = begin(in, e);
	if (r == 0 && s.offset < s.size) {
		if (p->uri.len > 0 && p->uri.data[0] == '#')
			r = mue_suit_integrated(&in->suit, p->uri, &inside) < 0
				    ? mue_fail(e, MUE_ENOTFOUND, "no such integrated payload")
			    : inside.len != s.size
				    ? mue_fail(e, MUE_ESIZE, "the integrated payload's size")
				    : mue_session_write(&s, inside.data + s.offset,
							inside.len - (size_t)s.offset, e);
		else
			r = stream(in, &s, p->uri, e);
	}
	if (r == 0)
		r = mue_session_finish(&s, p->digest.data, e);
	if (r == 0) {
		memcpy(in->image, p->digest.data, sizeof(in->image));
		in->ready = true;
	}
	mue_session_close(&s);
	return r;
}

/* --- the manifest's port --- */

struct run {
	struct mue_install *in;
	struct mue_error e; /* of the last port function that failed */
};

static int port_check(const struct mue_suit_port *port, uint8_t condition, uint8_t c,
		      const struct mue_suit_params *p)
{
	struct run *run = port->ctx;
	struct mue_install *in = run->in;
	bool match = in->ready && p->digest.len == 32 && memcmp(p->digest.data, in->image, 32) == 0;

	(void)c;
	switch (condition) {
	case MUE_SUIT_C_IMAGE_MATCH:
		return match ? 0 : mue_fail(&run->e, MUE_EDIGEST, "the slot holds another image");
	case MUE_SUIT_C_IMAGE_NOT_MATCH:
		return match ? mue_fail(&run->e, MUE_ECONDITION, "the slot holds this image") : 0;
	case MUE_SUIT_C_SLOT:
		return p->slot == in->device.slot
			       ? 0
			       : mue_fail(&run->e, MUE_EADDRESS, "made for slot %u", p->slot);
	case MUE_SUIT_C_BATTERY:
		return mue_release_now(in->c, p->battery, &run->e);
	case MUE_SUIT_C_VERSION:
		return mue_release_version(p->version, in->device.running.version, &run->e);
	case MUE_SUIT_C_USE_BEFORE:
		return p->has_use_before && (uint64_t)time(NULL) < p->use_before
			       ? 0
			       : mue_fail(&run->e, MUE_ECONDITION, "the release has expired");
	case MUE_SUIT_C_AUTHORIZED:
		return 0; /* the server's assignment is the authorization */
	default:
		return mue_fail(&run->e, MUE_EPROFILE, "condition %u is not for this device",
				condition);
	}
}

static int port_fetch(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	struct run *run = port->ctx;

	if (c != 0 || p->digest.len != 32 || !p->has_size || !p->uri.data)
		return mue_fail(&run->e, MUE_EPROFILE,
				"component %u: fetch without digest, size or URI", c);
	return fill_slot(run->in, p, &run->e);
}

static int port_invoke(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	(void)port;
	(void)c;
	(void)p;
	return 0; /* the loader's part */
}

static const struct mue_suit_port_ops port_ops = {
	.check = port_check,
	.fetch = port_fetch,
	.invoke = port_invoke,
};

/* Runs what brings the image into the slot, and then what validates it. */
static int run_manifest(struct mue_install *in, struct mue_error *e)
{
	static const enum mue_suit_sequence road[] = { MUE_SUIT_PAYLOAD_FETCH, MUE_SUIT_INSTALL,
						       MUE_SUIT_VALIDATE };
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX];
	struct run ctx = { .in = in };
	struct mue_suit_port port = { .ops = &port_ops,
				      .ctx = &ctx,
				      .vendor = in->device.vendor,
				      .class_id = in->device.class_id };
	struct mue_suit_run run;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(road) / sizeof(road[0]); i++) {
		r = mue_suit_start(&run, &in->suit, road[i], &port, params, MUE_SUIT_COMPONENTS_MAX,
				   i == 0);
		if (r == 0)
			r = mue_suit_step(&run);
	}
	if (r == 0 && !in->ready)
		r = mue_fail(e, MUE_EPROFILE, "the manifest fetches nothing");
	else if (r < 0 && ctx.e.code == r)
		*e = ctx.e;
	else if (r < 0)
		mue_fail(e, r, "manifest command %u on component %u: %s", run.command,
			 run.component, mue_err_text(r));
	return r;
}

/* --- what fetch asks --- */

/* Envelope in in->envelope: signature, identity, order, preconditions.  Nothing is written. */
static int judge(struct mue_install *in, struct mue_error *e)
{
	struct mue_suit_info *info = calloc(1, sizeof(*info));
	struct mue_view bytes = { in->envelope.data, in->envelope.len };
	const struct mue_trust_entry *by = NULL;
	int r = info ? mue_release_verify(bytes, &in->trust, &in->suit, &by, e) : MUE_ENOMEM;

	if (r == 0 && (r = mue_suit_describe(&in->suit, info)) < 0)
		mue_fail(e, r, "the manifest: %s", mue_err_text(r));
	if (r == 0) {
		mue_release_facts(info, &in->offered);
		mue_log(MUE_LOG_INFO, "envelope.verified", "key", by ? by->name : NULL, "version",
			in->offered.version, NULL);
		if (!in->device.known ||
		    memcmp(in->offered.digest, in->device.running.digest, 32) != 0)
			r = mue_release_fits(info, &in->device, in->c->slot_size, e);
	}
	free(info);
	return r;
}

static int on_offer(struct mue_install *in, const struct mue_ipc_msg *m, size_t len,
		    struct mue_error *e)
{
	struct mue_error why = { 0 };
	char text[160];
	int r;

	in->ready = in->wanted = in->told = false;
	mue_buf_reset(&in->envelope);
	r = mue_buf_add(&in->envelope, in->packet, len);
	if (r == 0)
		r = judge(in, &why);
	if (r < 0)
		return answer(in, m->action, r, 0, why.text, e);
	if (in->device.known && memcmp(in->offered.digest, in->device.running.digest, 32) == 0) {
		snprintf(text, sizeof(text), "%s runs already in slot %s", in->offered.version,
			 mue_install_slot_name(in->running));
		return answer(in, m->action, 0, MUE_IPC_INSTALLED, text, e);
	}
	snprintf(in->action.id, sizeof(in->action.id), "%s", m->action);
	r = mue_release_now(in->c, 0, &why);
	if (r == 0)
		r = run_manifest(in, &why);
	if (r == MUE_ECANCELLED)
		discard(in);
	if (in->told)
		return 0;
	return answer(in, m->action, r, 0, r < 0 ? why.text : "verified in the slot", e);
}

static int on_activate(struct mue_install *in, const struct mue_ipc_msg *m, struct mue_error *e)
{
	struct mue_error why = { 0 };
	char path[300], text[200];
	int r;

	if (!in->ready || strcmp(in->action.id, m->action) != 0)
		return answer(in, m->action, MUE_ENOTFOUND, 0, "no image of this action is ready",
			      e);
	in->action.phase = MUE_ACTION_TRIAL;
	in->action.slot = in->device.slot;
	in->action.reboots = 1;
	memcpy(in->action.digest, in->offered.digest, 32);
	envelope_path(in, in->device.slot, path);
	r = mue_file_write(path, in->envelope.data, in->envelope.len, 0644, &why);
	if (r == 0)
		r = mue_action_store(in->c->state, &in->action, &why);
	if (r == 0)
		r = in->boot.ops->request_trial(&in->boot, in->device.slot, (uint8_t)in->c->tries,
						in->offered.counter, &why);
	if (r < 0) {
		discard(in);
		return answer(in, m->action, r, 0, why.text, e);
	}
	snprintf(text, sizeof(text), "%s is verified in slot %s; rebooting for its trial",
		 in->offered.version, mue_install_slot_name(in->device.slot));
	r = mue_install_report(in, MUE_REPORT_PROCEEDING, 0, text, e);
	return r < 0 ? r : MUE_INSTALL_REBOOT;
}

static int on_cancel(struct mue_install *in, const struct mue_ipc_msg *m, struct mue_error *e)
{
	struct mue_boot_view v;
	struct mue_error why = { 0 };
	int r = in->boot.ops->view(&in->boot, &v, &why);

	in->wanted = false;
	if (strcmp(in->action.id, m->action) != 0 || in->action.phase == MUE_ACTION_NONE)
		return answer(in, m->action, 0, 0, "nothing of it was begun", e);
	if (r < 0 || in->action.phase >= MUE_ACTION_TRIAL || v.trial == in->action.slot)
		return answer(in, m->action, MUE_EREBOOT, 0,
			      r < 0 ? why.text : "too late: its trial boot was requested", e);
	discard(in);
	return answer(in, m->action, 0, 0, "given up before the install", e);
}

int mue_install_loop(struct mue_install *in, struct mue_error *e)
{
	struct mue_ipc_msg m;
	size_t len;
	int r;

	for (;;) {
		r = mue_ipc_recv(in->sock, &m, in->packet, &len, -1, e);
		if (r < 0)
			return r;
		if (m.type == MUE_IPC_OFFER)
			r = on_offer(in, &m, len, e);
		else if (m.type == MUE_IPC_ACTIVATE)
			r = on_activate(in, &m, e);
		else if (m.type == MUE_IPC_CANCEL)
			r = on_cancel(in, &m, e);
		else
			r = mue_fail(e, MUE_EPROTOCOL, "fetch sends %u", m.type);
		if (r)
			return r;
	}
}
