import Kernel
import LinuxABI

/// Calls `body` with an address that the program gave. Throws `invalidArgument` for a length that none
/// has, and `badAddress`.
func withSocketAddress<Result>(
    _ address: UInt,
    _ length: UInt,
    _ body: (UnsafeRawBufferPointer) throws(Errno) -> Result
) throws(Errno) -> Result {
    let count = Int(length.int)
    guard count >= 0, count <= SocketAddress.size else { throw .invalidArgument }
    var storage = InlineArray<128, UInt8>(repeating: 0)
    return try withUnsafeMutableBytes(of: &storage) { (bytes) throws(Errno) in
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
        try UserMemory.read(part, at: address)
        return try body(UnsafeRawBufferPointer(part))
    }
}

/// Gives the program an address, cut to the room that it says there is, and the whole length.
func store(_ address: inout SocketAddress, at target: UInt, lengthAt place: UInt) throws(Errno) {
    let length = UserPointer<Int32>(place)
    let room = Int(try length.load())
    guard room >= 0 else { throw .invalidArgument }
    try length.store(Int32(address.count))
    let count = min(room, address.count)
    try withUnsafeBytes(of: &address.bytes) { (bytes) throws(Errno) in
        try UserMemory.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: target)
    }
}

private func socketFile(_ descriptor: UInt, _ thread: Thread) throws(Errno) -> SocketFile {
    try thread.process.descriptors.socket(FileDescriptor(descriptor))
}

/// socket(2)
func sysSocket(_ family: UInt, _ type: UInt, _ number: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        return Int(try table.makeSocket(family.int, type.low, number.int).rawValue)
    }
}

/// socketpair(2)
func sysSocketPair(_ family: UInt, _ type: UInt, _ number: UInt, _ pair: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        try table.makeSocketPair(family.int, type.low, number.int) {
            (first, second) throws(Errno) in
            try UserPointer<UInt32>(pair).store(first.rawValue)
            try UserPointer<UInt32>(pair)[1].store(second.rawValue)
        }
        return 0
    }
}

/// bind(2)
func sysBind(_ descriptor: UInt, _ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    answer { (thread) throws(Errno) in
        let file = try socketFile(descriptor, thread)
        try withSocketAddress(address, length) { (name) throws(Errno) in try file.bind(name) }
        return 0
    }
}

/// connect(2)
func sysConnect(_ descriptor: UInt, _ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        _ = try table.lend(FileDescriptor(descriptor))
        try withSocketAddress(address, length) { (name) throws(Errno) in
            try table.socket(FileDescriptor(descriptor)).connect(name)
        }
        return 0
    }
}

/// listen(2)
func sysListen(_ descriptor: UInt, _ backlog: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try socketFile(descriptor, thread).listen(backlog.int)
        return 0
    }
}

/// accept4(2)
func sysAccept4(
    _ descriptor: UInt,
    _ address: UInt,
    _ length: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        let made = try table.accept(
            FileDescriptor(descriptor),
            OpenFlags(rawValue: flags.low)
        ) { (socket) throws(Errno) in
            guard address != 0 else { return }
            var name = SocketAddress()
            do throws(Errno) { try socket.tellPeerName(&name) } catch {
                throw .connectionAborted
            }
            try store(&name, at: address, lengthAt: length)
        }
        return Int(made.rawValue)
    }
}

/// accept(2)
func sysAccept(_ descriptor: UInt, _ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    sysAccept4(descriptor, address, length, 0, 0, 0)
}

/// getsockname(2)
func sysSocketName(_ descriptor: UInt, _ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        var name = SocketAddress()
        try socketFile(descriptor, thread).name(&name)
        try store(&name, at: address, lengthAt: length)
        return 0
    }
}

/// getpeername(2)
func sysPeerName(_ descriptor: UInt, _ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        var name = SocketAddress()
        try socketFile(descriptor, thread).peerName(&name)
        try store(&name, at: address, lengthAt: length)
        return 0
    }
}

/// shutdown(2)
func sysShutDown(_ descriptor: UInt, _ how: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try socketFile(descriptor, thread).shutDown(how.int)
        return 0
    }
}

/// setsockopt(2)
func sysSetSocketOption(
    _ descriptor: UInt,
    _ level: UInt,
    _ option: UInt,
    _ value: UInt,
    _ length: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard length.int >= 0 else { throw .invalidArgument }
        let file = try socketFile(descriptor, thread)
        guard level.int == SocketOption.level else { throw .notSupported }
        guard length.int >= 4 else { throw .invalidArgument }
        let number = try UserPointer<Int32>(value).load()
        guard let option = SocketOption(rawValue: option.low) else { throw .noSuchOption }
        switch option {
        case .linger:
            guard length.int >= 8 else { throw .invalidArgument }
            let seconds = try UserPointer<UInt32>(value)[1].load()
            file.setLinger(isOn: number != 0, seconds: seconds)
        case .receiveTimeout, .sendTimeout:
            guard length.int >= 16 else { throw .invalidArgument }
            try file.setTimeout(option, try UserPointer<TimeValue>(value).load())
        default: try file.set(option, number)
        }
        return 0
    }
}

/// getsockopt(2)
func sysGetSocketOption(
    _ descriptor: UInt,
    _ level: UInt,
    _ option: UInt,
    _ value: UInt,
    _ length: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let file = try socketFile(descriptor, thread)
        guard level.int == SocketOption.level else { throw .notSupported }
        let room = try UserPointer<Int32>(length).load()
        guard room >= 0 else { throw .invalidArgument }
        guard let option = SocketOption(rawValue: option.low) else { throw .noSuchOption }
        let count = try store(try file.option(option), at: value, room: Int(room))
        try UserPointer<Int32>(length).store(Int32(count))
        return 0
    }
}

/// Writes as much of an option as there is room for; returns how much that is.
private func store(_ option: SocketOptionValue, at address: UInt, room: Int) throws(Errno) -> Int {
    switch option {
    case .number(let number): return try storePart(of: number, at: address, room)
    case .linger(let isOn, let seconds):
        return try storePart(of: (UInt32(isOn ? 1 : 0), seconds), at: address, room)
    case .time(let time):
        let value = TimeValue(nanoseconds: time == .never ? 0 : time)
        return try storePart(of: value, at: address, room)
    case .credentials(let credentials): return try storePart(of: credentials, at: address, room)
    case .cookie(let cookie):
        // Linux refuses a cookie that would be cut.
        guard room >= 8 else { throw .invalidArgument }
        return try storePart(of: cookie, at: address, room)
    }
}

private func storePart<Value: BitwiseCopyable>(of value: Value, at address: UInt, _ room: Int)
    throws(Errno) -> Int
{
    let count = min(room, MemoryLayout<Value>.size)
    try withUnsafeBytes(of: value) { (bytes) throws(Errno) in
        try UserMemory.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: address)
    }
    return count
}

/// Sockets and connections.
let socketRows: InlineArray<_, Row> = [
    Row(
        41,
        "socket",
        sysSocket,
        .partial,
        .socketFamily,
        .socketType,
        .integer,
        result: .descriptor,
        note: "AF_UNIX only; other families are EAFNOSUPPORT"
    ),
    Row(
        42,
        "connect",
        sysConnect,
        .full,
        .descriptor,
        .socketAddress,
        .integer,
        restart: .byAction
    ),
    Row(
        43,
        "accept",
        sysAccept,
        .full,
        .descriptor,
        .socketAddressResult,
        .integerResult,
        result: .descriptor,
        restart: .byAction
    ),
    Row(48, "shutdown", sysShutDown, .full, .descriptor, .shutdownHow),
    Row(49, "bind", sysBind, .full, .descriptor, .socketAddress, .integer),
    Row(50, "listen", sysListen, .full, .descriptor, .integer),
    Row(51, "getsockname", sysSocketName, .full, .descriptor, .socketAddressResult, .integerResult),
    Row(52, "getpeername", sysPeerName, .full, .descriptor, .socketAddressResult, .integerResult),
    Row(
        53,
        "socketpair",
        sysSocketPair,
        .partial,
        .socketFamily,
        .socketType,
        .integer,
        .descriptorPair,
        note: "AF_UNIX only; other families are EAFNOSUPPORT"
    ),
    Row(
        54,
        "setsockopt",
        sysSetSocketOption,
        .partial,
        .descriptor,
        .socketLevel,
        .socketOption,
        .address,
        .integer,
        note: """
            SOL_SOCKET only, without filters, timestamps, SO_REUSEPORT, SO_PASSSEC, SO_PASSPIDFD, \
            SO_MARK, SO_BINDTODEVICE
            """
    ),
    Row(
        55,
        "getsockopt",
        sysGetSocketOption,
        .partial,
        .descriptor,
        .socketLevel,
        .socketOption,
        .address,
        .integerResult,
        note:
            "SOL_SOCKET only, without SO_PEERGROUPS, SO_PEERSEC, SO_PEERPIDFD, SO_MEMINFO, filters"
    ),
    Row(
        288,
        "accept4",
        sysAccept4,
        .full,
        .descriptor,
        .socketAddressResult,
        .integerResult,
        .socketFlags,
        result: .descriptor,
        restart: .byAction
    ),
]
