import LinuxABI

/// The pseudo-terminals there are, and devpts, which names them: pts(4).
enum Pseudoterminals {
    static var major: UInt32 { 136 }
    /// /proc/sys/kernel/pty/max
    static var limit: Int { 4096 }
    /// As distributions and containers mount it: group `tty`, mode 0620.
    static var group: UInt32 { 5 }

    /// By number; those that are free are nil.
    nonisolated(unsafe) static var nodes: [PseudoterminalNode?] = []
    nonisolated(unsafe) private(set) static var count = 0
    nonisolated(unsafe) fileprivate static var filesystem: Filesystem! = nil

    /// Opens a new one at its master's end. Throws `noSpace` when there are too many.
    static func openMaster(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        guard count < limit else { throw .noSpace }
        let index = nodes.firstIndex { $0 == nil } ?? nodes.count
        let terminal = try Pseudoterminal(number: UInt32(index))
        let node = PseudoterminalNode(filesystem, terminal, Process.current.credentials)
        if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
        count += 1
        return MasterFile(node, flags, dentry)
    }

    static func openSlave(_ number: UInt32, _ dentry: Dentry, _ flags: OpenFlags)
        throws(Errno) -> OpenFile
    {
        guard let node = node(number) else { throw .noSuchDeviceOrAddress }
        return try node.open(dentry, flags)
    }

    static func node(_ number: UInt32) -> PseudoterminalNode? {
        number < nodes.count ? nodes[Int(number)] : nil
    }

    /// The master is closed.
    static func close(_ node: PseudoterminalNode) {
        node.terminal.abandon()
        guard self.node(node.terminal.number) === node else { return }
        nodes[Int(node.terminal.number)] = nil
        count -= 1
        while let last = nodes.last, last == nil { nodes.removeLast() }
    }

    /// The name in devpts.
    static func name(of node: PseudoterminalNode) throws(Errno) -> Dentry {
        try ProcFilesystem.numberedDentry(
            Int32(node.terminal.number),
            node,
            in: filesystem.root
        )
    }

    /// The instance ends, and with it all masters.
    static func stop() {
        nodes = []
        count = 0
        filesystem = nil
    }
}

/// A pseudo-terminal's name.
final class PseudoterminalNode: Inode {
    let terminal: Pseudoterminal

    init(_ filesystem: Filesystem, _ terminal: Pseudoterminal, _ owner: Credentials) {
        self.terminal = terminal
        super.init(
            filesystem,
            number: UInt64(terminal.number) + 3,
            mode: FileMode(.characterDevice, permissions: 0o620),
            user: owner.fileSystemUser,
            group: Pseudoterminals.group
        )
        device = terminal.device
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        try terminal.open(dentry, flags)
    }
}

/// devpts
enum PseudoterminalFilesystem {
    static func make() throws(Errno) -> Filesystem {
        let filesystem = Filesystem("devpts", magic: 0x1cd1)
        filesystem.root = try Dentry(Name("/"), PseudoterminalDirectory(filesystem), in: nil)
        Pseudoterminals.filesystem = filesystem
        return filesystem
    }
}

/// Its only directory: the terminals, and `ptmx`, which makes another.
private final class PseudoterminalDirectory: Inode {
    private let master: SpecialNode

    init(_ filesystem: Filesystem) {
        master = SpecialNode(filesystem, number: 2, device: deviceNumber(5, 2), permissions: 0o666)
        super.init(
            filesystem,
            number: 1,
            mode: FileMode(.directory, permissions: 0o755),
            user: 0,
            group: 0
        )
        links = 2
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        DirectoryFile(dentry, flags)
    }

    override func find(_ name: Name, in directory: Dentry, _ keeper: inout Dentry?)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        guard let inode = inode(name) else { return nil }
        let dentry = try Dentry(name, inode, in: directory)
        keeper = dentry
        return Unmanaged.passUnretained(dentry)
    }

    private func inode(_ name: Name) -> Inode? {
        if name.equals("ptmx") { return master }
        return ProcFilesystem.number(name).flatMap { Pseudoterminals.node(UInt32($0)) }
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        if position == 2 {
            position = 3
            return DirectoryEntry(name: Name("ptmx"), inode: 2, kind: .characterDevice, keeper: nil)
        }
        while position >= 3, position - 3 < UInt64(Pseudoterminals.nodes.count) {
            let number = UInt32(position - 3)
            position += 1
            guard let node = Pseudoterminals.node(number) else { continue }
            return try ProcFilesystem.numberedEntry(
                Int32(number),
                node.number,
                .characterDevice
            )
        }
        return nil
    }
}

/// A device's node that is not in a tmpfs.
private final class SpecialNode: Inode {
    init(_ filesystem: Filesystem, number: UInt64, device: UInt64, permissions: UInt32) {
        super.init(
            filesystem,
            number: number,
            mode: FileMode(.characterDevice, permissions: permissions),
            user: 0,
            group: 0
        )
        self.device = device
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        try CharacterDevices.open(device, dentry, flags)
    }
}
