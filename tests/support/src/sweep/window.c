/* Stands in for the window process and for the browser of a host under fault: hands what it was given to the test.
 *
 * As the window (no argument): its end of the private channel, which is its standard input; then it stays until the test
 * lets go. As the browser: the address it was handed. The test listens at `$HOME/driver`. It makes none of the calls that
 * fault.c traps: the filter is inherited and would end it. */
#define _GNU_SOURCE
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **words) {
    const char *home = getenv("HOME");
    const char *text = count > 1 && strcmp(words[1], "--tray") != 0 ? words[1] : "window";
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!home || snprintf(to.sun_path, sizeof to.sun_path, "%s/driver", home) >= (int)sizeof to.sun_path) return 1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return 1;
    struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr aligned; } rights = {0};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    int is_window = strcmp(text, "window") == 0, channel = STDIN_FILENO;
    if (is_window) {
        message.msg_hdr.msg_control = rights.space;
        message.msg_hdr.msg_controllen = sizeof rights.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message.msg_hdr);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof channel);
        memcpy(CMSG_DATA(header), &channel, sizeof channel);
    }
    if (sendmmsg(fd, &message, 1, 0) != 1) return 1;
    if (!is_window) return 0;
    close(STDIN_FILENO);
    char byte;
    while (read(fd, &byte, 1) > 0) {}
    return 0;
}
