/// Calls that Linux has and this version has not, so that they are answered, shown and counted.
let unsupportedRows: InlineArray<_, Row> = [
    Row(refused: 41, "socket"),
    Row(refused: 42, "connect"),
    Row(refused: 43, "accept"),
    Row(refused: 44, "sendto"),
    Row(refused: 45, "recvfrom"),
    Row(refused: 46, "sendmsg"),
    Row(refused: 47, "recvmsg"),
    Row(refused: 48, "shutdown"),
    Row(refused: 49, "bind"),
    Row(refused: 50, "listen"),
    Row(refused: 51, "getsockname"),
    Row(refused: 52, "getpeername"),
    Row(refused: 53, "socketpair"),
    Row(refused: 54, "setsockopt"),
    Row(refused: 55, "getsockopt"),
]
