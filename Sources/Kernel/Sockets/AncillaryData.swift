import LinuxABI

/// Ancillary data: cmsg(3).
extension OutgoingMessage {
    /// Takes what a program wrote: the bytes of `msg_control`. Throws `invalidArgument`,
    /// `badDescriptor`, `notPermitted`, `noSuchProcess`, `tooManyReferences`.
    public mutating func takeControl(_ bytes: UnsafeRawBufferPointer, _ process: Process)
        throws(Errno)
    {
        var files: [OpenFile] = []
        var offset = 0
        while bytes.count - offset >= ControlHeader.size {
            let header = bytes.loadUnaligned(fromByteOffset: offset, as: ControlHeader.self)
            guard header.length >= UInt(ControlHeader.size),
                header.length <= UInt(bytes.count - offset)
            else { throw .invalidArgument }
            let data = UnsafeRawBufferPointer(
                rebasing: bytes[(offset + ControlHeader.size)..<(offset + Int(header.length))]
            )
            if header.level == SocketOption.level {
                switch header.type {
                case ControlHeader.rights: try take(data, &files, process)
                case ControlHeader.credentials: try takeCredentials(data, process)
                default: throw .invalidArgument
                }
            }
            offset += ControlHeader.aligned(Int(header.length))
            guard offset < bytes.count else { break }
        }
        guard !files.isEmpty else { return }
        try Rights.checkLimit(process)
        rights = Rights(files)
    }

    private func take(
        _ data: UnsafeRawBufferPointer,
        _ files: inout [OpenFile],
        _ process: Process
    ) throws(Errno) {
        let count = data.count / 4
        guard files.count + count <= ControlHeader.mostFiles else { throw .invalidArgument }
        for index in 0..<count {
            let number = data.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)
            let file = try process.descriptors.file(FileDescriptor(number))
            guard !(file is RingFile) else { throw .invalidArgument }
            files.append(file)
        }
    }

    /// Those who are not root can only tell what is true: unix(7).
    private mutating func takeCredentials(_ data: UnsafeRawBufferPointer, _ process: Process)
        throws(Errno)
    {
        guard data.count == MemoryLayout<SocketCredentials>.size else { throw .invalidArgument }
        let claimed = data.loadUnaligned(as: SocketCredentials.self)
        let own = process.credentials
        if own.effectiveUser != 0 {
            let users = [own.realUser, own.effectiveUser, own.savedUser]
            let groups = [own.realGroup, own.effectiveGroup, own.savedGroup]
            guard claimed.process == process.id, users.contains(claimed.user),
                groups.contains(claimed.group)
            else { throw .notPermitted }
        }
        guard claimed.process == process.id || ProcessTable.process(claimed.process) != nil else {
            throw .noSuchProcess
        }
        guard claimed.user != .max, claimed.group != .max else { throw .invalidArgument }
        credentials = claimed
    }
}

extension IncomingMessage {
    /// Writes ancillary data to a program's `msg_control`; returns how many bytes are used. What does
    /// not fit is dropped, which `received` tells.
    public mutating func giveControl(to area: UserBuffer, _ process: Process) throws(Errno) -> Int {
        var writer = ControlWriter(area)
        if var credentials {
            // Users that are not known are told as nobody.
            if credentials.user == .max { credentials.user = 65_534 }
            if credentials.group == .max { credentials.group = 65_534 }
            try withUnsafeBytes(of: credentials) { (bytes) throws(Errno) in
                try writer.put(ControlHeader.credentials, bytes)
            }
        }
        if let rights {
            try writer.put(rights, closesOnExec: flags.contains(.closeOnExec), process)
            self.rights = nil
        }
        if writer.isTruncated { received.insert(.controlTruncated) }
        return writer.used
    }
}

/// Writes one piece of ancillary data after the other.
private struct ControlWriter {
    private let area: UserBuffer
    private(set) var used = 0
    private(set) var isTruncated = false

    init(_ area: UserBuffer) { self.area = area }

    private var room: Int { area.count - used }

    private func header(_ count: Int, _ type: Int32) throws(Errno) {
        let header = ControlHeader(
            length: UInt(ControlHeader.size + count),
            level: SocketOption.level,
            type: type
        )
        try UserPointer<ControlHeader>(area.address &+ UInt(used)).store(header)
    }

    private mutating func advance(_ count: Int) {
        used += min(ControlHeader.aligned(ControlHeader.size + count), room)
    }

    mutating func put(_ type: Int32, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
        guard area.address != 0, room >= ControlHeader.size else {
            isTruncated = true
            return
        }
        let count = min(bytes.count, room - ControlHeader.size)
        if count < bytes.count { isTruncated = true }
        try header(count, type)
        try area.copyOut(
            UnsafeRawBufferPointer(rebasing: bytes[..<count]),
            at: used + ControlHeader.size
        )
        advance(count)
    }

    /// Opens files for the program; those without room, or a free descriptor, are closed.
    mutating func put(_ rights: Rights, closesOnExec: Bool, _ process: Process) throws(Errno) {
        let most = area.address == 0 ? 0 : max(room - ControlHeader.size, 0) / 4
        var count = 0
        let table = process.descriptors!
        for file in rights.files {
            guard count < most,
                let descriptor = try? table.insert(file, closesOnExec: closesOnExec)
            else { break }
            let place = used + ControlHeader.size + count * 4
            do throws(Errno) {
                try UserPointer<UInt32>(area.address &+ UInt(place)).store(descriptor.rawValue)
            } catch {
                try? table.close(descriptor)
                break
            }
            count += 1
        }
        if count < rights.files.count { isTruncated = true }
        guard count > 0 else { return }
        try header(count * 4, ControlHeader.rights)
        advance(count * 4)
    }
}
