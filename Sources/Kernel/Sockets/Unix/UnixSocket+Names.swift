import LinuxABI

/// The name of a socket: a path, or bytes that no file system knows.
final class UnixAddress {
    /// What follows the family; a path has its NUL.
    let bytes: [UInt8]
    /// The name's place in the file system; nil of an abstract one.
    let dentry: Dentry?

    init(_ bytes: UnsafeRawBufferPointer, _ dentry: Dentry?) {
        self.bytes = Array(bytes)
        self.dentry = dentry
    }

    var isPath: Bool { bytes.first ?? 0 != 0 }
}

extension UnixSocket {
    /// sizeof(sun_path)
    private static let longestName = 108

    /// What follows the family in an address of this family, which must not be empty.
    private static func name(_ address: UnsafeRawBufferPointer) throws(Errno)
        -> UnsafeRawBufferPointer
    {
        guard address.count > 2, address.count <= 2 + longestName,
            family(of: address) == .unix
        else { throw .invalidArgument }
        return UnsafeRawBufferPointer(rebasing: address[2...])
    }

    static func family(of address: UnsafeRawBufferPointer) -> SocketFamily {
        guard address.count >= 2 else { return .unspecified }
        return SocketFamily(rawValue: address.loadUnaligned(as: UInt16.self))
    }

    /// A path up to its NUL, or the end of the address.
    private static func path(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: name[..<(name.firstIndex(of: 0) ?? name.count)])
    }

    func takeName(_ address: UnsafeRawBufferPointer) throws(Errno) {
        if address.count == 2, UnixSocket.family(of: address) == .unix {
            return try bindAutomatically()
        }
        let name = try UnixSocket.name(address)
        if name[0] != 0 { return try bind(path: UnixSocket.path(name)) }
        guard self.address == nil else { throw .invalidArgument }
        guard AbstractNames.find(name, type) == nil else { throw .addressInUse }
        bind(abstract: name)
    }

    private func bind(abstract name: UnsafeRawBufferPointer) {
        address = UnixAddress(name, nil)
        AbstractNames.add(self)
    }

    private func bind(path: UnsafeRawBufferPointer) throws(Errno) {
        let dentry: Dentry
        do throws(Errno) {
            dentry = try VFS.makeSocket(
                path,
                Process.current,
                permissions: permissions,
                isWanted: address == nil
            )
        } catch { throw error == .fileExists ? .addressInUse : error }
        var name = Array(path)
        name.append(0)
        address = name.withUnsafeBytes { UnixAddress($0, dentry) }
        (dentry.inode as? SpecialFile)?.socket = self
    }

    /// Five hexadecimal digits behind a NUL that nobody has: unix(7).
    func bindAutomatically() throws(Errno) {
        guard address == nil else { return }
        var digits = InlineArray<6, UInt8>(repeating: 0)
        for _ in 0...0xf_ffff {
            AbstractNames.lastAutomatic = (AbstractNames.lastAutomatic + 1) & 0xf_ffff
            for index in 0..<5 {
                let digit = UInt8(AbstractNames.lastAutomatic >> UInt32(16 - 4 * index) & 0xf)
                digits[index + 1] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
            let isFree = withUnsafeBytes(of: &digits) { name in
                guard AbstractNames.find(name, type) == nil else { return false }
                bind(abstract: name)
                return true
            }
            if isFree { return }
        }
        throw .noSpace
    }

    /// Whoever asks for the sender's credentials must be a sender that can be named.
    func bindIfCredentialsPass() throws(Errno) {
        if settings.contains(.passCredentials) { try bindAutomatically() }
    }

    /// Gives the name up; its file stays, and the peer still knows it.
    func releaseName() {
        if isAbstract { AbstractNames.remove(self) }
        if let special = address?.dentry?.inode as? SpecialFile, special.socket === self {
            special.socket = nil
        }
    }

    /// The socket that has a name. Throws `connectionRefused` when there is none.
    func find(_ address: UnsafeRawBufferPointer) throws(Errno) -> UnixSocket {
        let name = try UnixSocket.name(address)
        guard name[0] != 0 else {
            guard let found = AbstractNames.find(name, type) else { throw .connectionRefused }
            return found
        }
        let process = Process.current
        let inode = try VFS.resolve(VFS.Place(UnixSocket.path(name)), process).inode!
        try Actor(process).require(.write, inode)
        guard let special = inode as? SpecialFile, let found = special.socket else {
            throw .connectionRefused
        }
        guard found.type == type else { throw .wrongProtocolType }
        return found
    }

    func appendName(to address: inout SocketAddress) {
        guard let name = self.address else {
            return address.set(.unix, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        name.bytes.withUnsafeBytes { address.set(.unix, $0) }
    }
}

/// Sockets with abstract names, those of each type apart, as on Linux.
enum AbstractNames {
    nonisolated(unsafe) private static var sockets: [Unmanaged<UnixSocket>] = []
    nonisolated(unsafe) static var lastAutomatic: UInt32 = 0

    static func find(_ name: UnsafeRawBufferPointer, _ type: SocketType) -> UnixSocket? {
        for socket in sockets where socket.lent.type == type {
            guard let bytes = socket.lent.address?.bytes, bytes.count == name.count,
                bytes.withUnsafeBytes({ $0.elementsEqual(name) })
            else { continue }
            return socket.takeUnretainedValue()
        }
        return nil
    }

    static func add(_ socket: UnixSocket) {
        socket.isAbstract = true
        sockets.append(Unmanaged.passUnretained(socket))
    }

    static func remove(_ socket: UnixSocket) {
        let place = Unmanaged.passUnretained(socket).toOpaque()
        guard let index = sockets.firstIndex(where: { $0.toOpaque() == place }) else { return }
        sockets.remove(at: index)
        socket.isAbstract = false
        if sockets.isEmpty { sockets = [] }
    }
}

extension VFS {
    /// Makes the name of a socket, as bind(2). Throws `fileExists` when it is taken; and
    /// `invalidArgument` when it is not but no longer wanted, as Linux finds out that late.
    static func makeSocket(
        _ path: UnsafeRawBufferPointer,
        _ process: Process,
        permissions: UInt32,
        isWanted: Bool
    ) throws(Errno) -> Dentry {
        let actor = Actor(process)
        let walk = try walk(Place(path), process, .nameOnly, actor: actor)
        guard walk.target == nil, walk.lastName != nil else { throw .fileExists }
        guard !walk.hasTrailingSlash else { throw .noSuchFileOrDirectory }
        guard isWanted else { throw .invalidArgument }
        let parent = walk.parent.takeUnretainedValue().inode!
        return try create(walk, newNode(.socket, permissions, in: parent, process), actor)
    }
}
