/*
 * Many telephones in one: SIP calls to an Asterisk on loopback, alaw silence, one RFC 4733 digit after the other.
 * It takes little CPU time, so that what it loads has the machine. Prints one JSON object.
 *
 *   gcc -O2 -o calls calls.c
 *   ./calls --port 5060 --calls 2000 --rate 100 --after 0.3              short calls: one key, Asterisk hangs up
 *   ./calls --port 5060 --calls 300 --rate 50 --hold 60 --every 3        the same key again and again, then leave
 *
 * A call is well if it was answered, heard at least one packet of voice before its key, was still there at every
 * key and was ended by Asterisk within --soon seconds of the last one. Everything else is lost, with a
 * reason. Keys: --again (default 2) is pressed every --every seconds until --hold is over, --leave (1) is the last.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 400, DATAGRAM = 4096, VOICE = 160, EVENT_FRAMES = 5, EVENT_ENDS = 3, AT_ONCE = 64 };
#define FRAME_S 0.02
#define TICK_S 0.004
#define AGAIN_S 0.5 /* SIP's T1: an INVITE without any response is sent again after it, then after twice that */

enum state { INVITED, TALKING, OVER };
enum reason { WELL, REFUSED, UNANSWERED, ENDED_EARLY, SILENT, NOT_ENDED, REASONS };
static const char *const reasons[REASONS] = {"well", "refused", "not answered", "ended early", "silent", "not ended"};

struct call {
    enum state state;
    enum reason reason;
    int trying, heard, event, frame, last, left;
    uint16_t port, sequence;
    uint32_t stamp;
    double begun, answered, again_at, again_s, voice_at, key_at, left_at;
    char branch[40], to[HEADER], contact[HEADER];
};

static int port, calls = 100;
static double rate = 10, after = 0.3, hold, every = 3, patience = 15, soon = 5;
static char again_key = '2', leave_key = '1';
static const char *number = "0890";

static struct call *all;
static int *living, alive, most_alive, begun, count[REASONS], resent, keys;
static int by_port[65536]; /* call by the port of Asterisk that its voice comes from, -1 for none */
static int sip, rtp, sip_port, rtp_port;
static struct sockaddr_in asterisk;
static unsigned nonce;
static double *answer_ms, *leave_ms, latest;
static int answer_count, leave_count;
static unsigned char silence[12 + VOICE];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *why) {
    fprintf(stderr, "calls: %s\n", why);
    exit(2);
}

static int open_udp(int *chosen) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int buffer = 1 << 22, one = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one < 0 || bind(one, (struct sockaddr *)&here, size) || getsockname(one, (struct sockaddr *)&here, &size))
        die("no port for a telephone");
    setsockopt(one, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    *chosen = ntohs(here.sin_port);
    return one;
}

/* SIP */

static void send_sip(const char *text, int size) {
    if (size > 0 && size < DATAGRAM) sendto(sip, text, (size_t)size, 0, (struct sockaddr *)&asterisk, sizeof asterisk);
}

static void send_invite(const struct call *one) {
    char sdp[512], text[DATAGRAM];
    int id = (int)(one - all);
    int body = snprintf(
        sdp, sizeof sdp,
        "v=0\r\no=- %d 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n",
        id + 1, rtp_port);
    send_sip(text, snprintf(text, sizeof text,
                            "INVITE sip:%s@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=%s;rport\r\n"
                            "Max-Forwards: 70\r\nFrom: <sip:7916%07d@127.0.0.1:%d>;tag=%x%d\r\n"
                            "To: <sip:%s@127.0.0.1:%d>\r\nCall-ID: %d-%08x@127.0.0.1\r\nCSeq: 1 INVITE\r\n"
                            "Contact: <sip:load@127.0.0.1:%d>\r\nContent-Type: application/sdp\r\n"
                            "Content-Length: %d\r\n\r\n%s",
                            number, port, sip_port, one->branch, id, sip_port, nonce, id, number, port, id, nonce,
                            sip_port, body, sdp));
}

static void send_ack(const struct call *one, int well) {
    char text[DATAGRAM];
    int id = (int)(one - all);
    send_sip(text, snprintf(text, sizeof text,
                            "ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=%s%s;rport\r\nMax-Forwards: 70\r\n"
                            "From: <sip:7916%07d@127.0.0.1:%d>;tag=%x%d\r\nTo: %s\r\nCall-ID: %d-%08x@127.0.0.1\r\n"
                            "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
                            one->contact, sip_port, one->branch, well ? "a" : "", id, sip_port, nonce, id, one->to, id,
                            nonce));
}

/* Copy the value of the first header of that name; 0 if there is none or it is too long. */
static int header(const char *message, const char *name, char *value) {
    size_t length = strlen(name);
    for (const char *line = message; line && *line != '\r'; line = strstr(line, "\r\n"), line = line ? line + 2 : 0) {
        if (strncasecmp(line, name, length) || line[length] != ':') continue;
        const char *from = line + length + 1, *end = strstr(from, "\r\n");
        while (*from == ' ') from++;
        if (!end || end - from >= HEADER) return 0;
        memcpy(value, from, (size_t)(end - from));
        value[end - from] = 0;
        return 1;
    }
    return 0;
}

static void over(struct call *one, enum reason reason) {
    if (one->state == OVER) return;
    one->state = OVER;
    one->reason = reason;
    count[reason]++;
    if (one->port) by_port[one->port] = -1;
    for (int i = 0; i < alive; i++)
        if (living[i] == (int)(one - all)) {
            living[i] = living[--alive];
            break;
        }
}

static void answered(struct call *one, const char *message) {
    const char *audio = strstr(message, "\r\nm=audio "), *event = strstr(message, " telephone-event");
    if (!audio) return;
    one->port = (uint16_t)atoi(audio + 10);
    if (event) {
        while (event > message && *event != ':') event--;
        one->event = atoi(event + 1);
    }
    by_port[one->port] = (int)(one - all);
    if (one->state == TALKING) return; /* the same 200 again */
    one->state = TALKING;
    one->answered = one->voice_at = now();
    one->key_at = one->answered + (hold > 0 ? every : after);
    answer_ms[answer_count++] = (one->answered - one->begun) * 1000;
}

static void response(struct call *one, const char *message, const char *sequence) {
    char contact[HEADER];
    int status = atoi(message + 8);
    if (!strstr(sequence, "INVITE")) return;
    one->trying = 1;
    if (status < 200 || !header(message, "To", one->to)) return;
    if (header(message, "Contact", contact) && strchr(contact, '<')) {
        char *from = strchr(contact, '<') + 1, *end = strchr(from, '>');
        if (end) *end = 0;
        strcpy(one->contact, from);
    } else
        snprintf(one->contact, HEADER, "sip:%s@127.0.0.1:%d", number, port);
    send_ack(one, status < 300);
    if (status >= 300)
        over(one, REFUSED);
    else if (one->state != OVER)
        answered(one, message);
}

static void request(struct call *one, const char *message) {
    char via[HEADER], from[HEADER], to[HEADER], identity[HEADER], sequence[HEADER], text[DATAGRAM];
    if (!header(message, "Via", via) || !header(message, "From", from) || !header(message, "To", to) ||
        !header(message, "Call-ID", identity) || !header(message, "CSeq", sequence))
        return;
    send_sip(text, snprintf(text, sizeof text,
                            "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n"
                            "Content-Length: 0\r\n\r\n",
                            via, from, to, identity, sequence));
    if (strncmp(message, "BYE ", 4) || one->state == OVER) return;
    if (one->left) leave_ms[leave_count++] = (now() - one->left_at) * 1000;
    over(one, one->left ? WELL : ENDED_EARLY);
}

static void read_sip(void) {
    char message[DATAGRAM + 1], identity[HEADER], sequence[HEADER];
    ssize_t size;
    while ((size = recv(sip, message, DATAGRAM, 0)) > 0) {
        unsigned which;
        int id;
        message[size] = 0;
        if (!header(message, "Call-ID", identity) || !header(message, "CSeq", sequence)) continue;
        if (sscanf(identity, "%d-%x@", &id, &which) != 2 || which != nonce || id < 0 || id >= begun) continue;
        if (!strncmp(message, "SIP/2.0 ", 8))
            response(&all[id], message, sequence);
        else if (strncmp(message, "ACK ", 4))
            request(&all[id], message);
    }
}

/* Voice */

static void head(unsigned char *packet, struct call *one, int type) {
    uint16_t sequence = htons(one->sequence++);
    uint32_t stamp = htonl(one->stamp), source = htonl((uint32_t)(one - all) + 1);
    packet[0] = 0x80, packet[1] = (unsigned char)type;
    memcpy(packet + 2, &sequence, 2), memcpy(packet + 4, &stamp, 4), memcpy(packet + 8, &source, 4);
}

static void send_rtp(const struct call *one, const unsigned char *packet, size_t size) {
    struct sockaddr_in there = asterisk;
    there.sin_port = htons(one->port);
    sendto(rtp, packet, size, 0, (struct sockaddr *)&there, sizeof there);
}

static void send_key_frame(struct call *one) {
    unsigned char packet[16];
    int ending = one->frame == EVENT_FRAMES, duration = one->frame * VOICE;
    for (int n = ending ? EVENT_ENDS : 1; n > 0; n--) {
        head(packet, one, one->event | (one->frame == 1 ? 0x80 : 0));
        packet[12] = (unsigned char)(one->last - '0');
        packet[13] = (unsigned char)((ending ? 0x80 : 0) | 10);
        packet[14] = (unsigned char)(duration >> 8), packet[15] = (unsigned char)duration;
        send_rtp(one, packet, sizeof packet);
    }
    if (!ending) {
        one->frame++;
        return;
    }
    one->frame = 0;
    one->stamp += EVENT_FRAMES * VOICE;
    if (one->left) one->left_at = now();
}

static void press(struct call *one, double at) {
    one->left = hold <= 0 || at - one->answered >= hold;
    one->last = one->left ? leave_key : again_key;
    one->frame = 1;
    one->key_at = at + every;
    one->left_at = at;
    keys++;
}

static void read_rtp(void) {
    static unsigned char room[AT_ONCE][16];
    static struct sockaddr_in from[AT_ONCE];
    static struct iovec parts[AT_ONCE];
    static struct mmsghdr found[AT_ONCE];
    int n;
    for (int i = 0; i < AT_ONCE; i++) {
        parts[i] = (struct iovec){room[i], sizeof room[i]};
        found[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i],
                                           .msg_iovlen = 1};
    }
    while ((n = recvmmsg(rtp, found, AT_ONCE, MSG_DONTWAIT | MSG_TRUNC, 0)) > 0)
        for (int i = 0; i < n; i++) {
            int id = by_port[ntohs(from[i].sin_port)];
            if (id >= 0 && found[i].msg_len == 12 + VOICE) all[id].heard++;
        }
}

/* Time */

static void tend(struct call *one, double at) {
    if (one->state == INVITED) {
        if (at - one->begun > patience)
            over(one, UNANSWERED);
        else if (!one->trying && at >= one->again_at) {
            send_invite(one);
            resent++;
            one->again_s *= 2;
            one->again_at = at + one->again_s;
        }
        return;
    }
    if (!one->left && !one->frame && at >= one->key_at) {
        if (!one->heard) {
            over(one, SILENT);
            return;
        }
        press(one, at);
    } else if (one->left && !one->frame && at - one->left_at > soon) {
        over(one, NOT_ENDED);
        return;
    }
    while (one->voice_at <= at) {
        if (one->frame)
            send_key_frame(one);
        else {
            unsigned char packet[12 + VOICE];
            memcpy(packet, silence, sizeof packet);
            head(packet, one, 8);
            send_rtp(one, packet, sizeof packet);
            one->stamp += VOICE;
        }
        one->voice_at += FRAME_S;
    }
}

static void begin(double at) {
    struct call *one = &all[begun];
    *one = (struct call){.begun = at, .again_s = AGAIN_S, .again_at = at + AGAIN_S, .event = 101, .sequence = 1,
                         .stamp = 1000};
    snprintf(one->branch, sizeof one->branch, "z9hG4bK%08x%d", nonce, begun);
    living[alive++] = begun++;
    if (alive > most_alive) most_alive = alive;
    send_invite(one);
}

static void run(void) {
    double first = now(), next_tick = first;
    while (begun < calls || alive) {
        struct pollfd ready = {.fd = sip, .events = POLLIN};
        double at = now(), wait = next_tick - at;
        poll(&ready, 1, wait > 0 ? (int)(wait * 1000) + 1 : 0);
        read_sip();
        if ((at = now()) < next_tick) continue;
        next_tick = at + TICK_S;
        read_rtp();
        for (int i = alive - 1; i >= 0; i--)
            if (i < alive) tend(&all[living[i]], at);
        while (begun < calls && at >= first + begun / rate) {
            double late = at - (first + begun / rate);
            if (late > latest) latest = late;
            begin(at);
        }
    }
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double part(double *values, int n, double share) {
    if (!n) return 0;
    qsort(values, (size_t)n, sizeof *values, by_size);
    int i = (int)(n * share);
    return values[i < n ? i : n - 1];
}

static void report(double seconds) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
    printf("{\"calls\": %d, \"lost\": %d, \"keys\": %d, \"most_at_once\": %d, \"invites_again\": %d, \"why\": {", begun,
           begun - count[WELL], keys, most_alive, resent);
    for (int i = 1, some = 0; i < REASONS; i++)
        if (count[i]) printf("%s\"%s\": %d", some++ ? ", " : "", reasons[i], count[i]);
    printf("}, \"answer_p50_ms\": %.1f, \"answer_p99_ms\": %.1f, ", part(answer_ms, answer_count, 0.5),
           part(answer_ms, answer_count, 0.99));
    printf("\"end_p50_ms\": %.1f, \"end_p99_ms\": %.1f, \"late_ms\": %.1f, \"seconds\": %.2f, \"cpu_ms\": %.0f}\n",
           part(leave_ms, leave_count, 0.5), part(leave_ms, leave_count, 0.99), latest * 1000, seconds, cpu);
}

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--calls")) calls = atoi(value);
        else if (!strcmp(name, "--rate")) rate = atof(value);
        else if (!strcmp(name, "--after")) after = atof(value);
        else if (!strcmp(name, "--hold")) hold = atof(value);
        else if (!strcmp(name, "--every")) every = atof(value);
        else if (!strcmp(name, "--patience")) patience = atof(value);
        else if (!strcmp(name, "--soon")) soon = atof(value);
        else if (!strcmp(name, "--number")) number = value;
        else if (!strcmp(name, "--again")) again_key = *value;
        else if (!strcmp(name, "--leave")) leave_key = *value;
        else die("unknown option");
    }
    if (port <= 0 || calls <= 0 || calls > 1000000 || rate <= 0) die("--port, --calls and --rate are needed");
    all = calloc((size_t)calls, sizeof *all);
    living = calloc((size_t)calls, sizeof *living);
    answer_ms = calloc((size_t)calls, sizeof *answer_ms);
    leave_ms = calloc((size_t)calls, sizeof *leave_ms);
    if (!all || !living || !answer_ms || !leave_ms) die("no memory");
    memset(by_port, -1, sizeof by_port);
    memset(silence + 12, 0xD5, VOICE);
    nonce = (unsigned)getpid() * 2654435761u ^ (unsigned)time(0);
    asterisk = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sip = open_udp(&sip_port), rtp = open_udp(&rtp_port);
    double first = now();
    run();
    report(now() - first);
    return 0;
}
