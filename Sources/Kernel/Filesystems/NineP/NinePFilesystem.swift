import LinuxABI
import NineP
import Platform

/// A folder of the host: its files are those of a server, which speaks 9P2000.L.
///
/// Nothing is believed for long, as others of the host change the same files: attributes are asked for
/// whenever somebody wants them, names whenever their directory has changed, and contents each time. What is
/// kept are names and files in use, and some that were, so that a file is one inode whichever way led to it.
final class NinePFilesystem: Filesystem {
    let client: Client
    /// Files by the server's numbers of them, which the nodes themselves leave.
    private var nodes = PointerTable()
    private var nameCount = 0
    /// Names at which those are dropped that nobody uses.
    private var nameLimit = NinePFilesystem.leastNameLimit
    private static let leastNameLimit = 1024
    private var lastGeneration: UInt64 = 0

    private init(_ client: Client) {
        self.client = client
        // V9FS_MAGIC
        super.init("9p", magic: 0x0102_1997)
    }

    /// The folder that the platform calls `volume` and this number. Throws `noSuchDeviceOrAddress` when
    /// there is none.
    static func make(_ number: Int) throws(Errno) -> NinePFilesystem {
        let client = try FileServers.connect(volume: number)
        let (file, _) = try client.attach(user: 0)
        let told = try client.attributes(file)
        guard FileMode(rawValue: told.mode).isDirectory else { throw .notDirectory }
        let filesystem = NinePFilesystem(client)
        let node = try filesystem.register(file, told)
        filesystem.root = try Dentry(Name("/"), node, in: nil)
        return filesystem
    }

    override func status() -> FilesystemStatusRecord {
        var record = super.status()
        guard let node = root?.inode as? NinePNode,
            let told = try? client.statistics(node.file)
        else { return record }
        record.blockSize = Int64(told.blockSize)
        record.fragmentSize = record.blockSize
        record.blocks = told.blocks
        record.freeBlocks = told.freeBlocks
        record.availableBlocks = told.availableBlocks
        record.files = told.files
        record.freeFiles = told.freeFiles
        record.nameLength = Int64(told.nameLength)
        return record
    }

    /// The server forgets all numbers at once.
    override func dismantle() {
        client.close()
        super.dismantle()
    }

    // MARK: Files

    /// The file that a walk led to, whose number is the file's from now on.
    func node(_ found: (file: UInt32, identity: FileIdentity)) throws(Errno) -> NinePNode {
        if let known = known(found.identity) {
            known.adopt(found.file)
            return known
        }
        do throws(Errno) {
            return try register(found.file, try client.attributes(found.file))
        } catch {
            client.forget(found.file)
            throw error
        }
    }

    private func known(_ identity: FileIdentity) -> NinePNode? {
        guard let pointer = nodes[identity.path, 0] else { return nil }
        let node = Unmanaged<NinePNode>.fromOpaque(pointer).takeUnretainedValue()
        guard node.isSame(identity) else { return nil }
        return node
    }

    private func register(_ file: UInt32, _ told: FileAttributes) throws(Errno) -> NinePNode {
        let node: NinePNode
        switch FileMode(rawValue: told.mode).kind {
        case .directory: node = NinePDirectory(self, file, told, try EntryTable())
        case .regular: node = NinePFile(self, file, told)
        default: node = NinePNode(self, file, told)
        }
        // What had the number before is gone.
        nodes.remove(node.number, 0)
        try nodes.insert(node.number, 0, Unmanaged.passUnretained(node).toOpaque())
        return node
    }

    func unregister(_ node: NinePNode) {
        guard nodes[node.number, 0] == Unmanaged.passUnretained(node).toOpaque() else { return }
        nodes.remove(node.number, 0)
    }

    // MARK: Names

    func newGeneration() -> UInt64 {
        lastGeneration += 1
        return lastGeneration
    }

    /// A name was added to a directory's table; whoever looked it up keeps it.
    func nameAdded() {
        nameCount += 1
        guard nameCount > nameLimit else { return }
        dropUnused()
        nameLimit = max(NinePFilesystem.leastNameLimit, nameCount * 2)
    }

    func namesRemoved(_ count: Int = 1) { nameCount -= count }

    /// Drops names that nobody uses, and their files.
    func dropUnused() {
        var directories: [NinePDirectory] = []
        nodes.forEach { pointer in
            let node = Unmanaged<NinePNode>.fromOpaque(pointer).takeUnretainedValue()
            if let directory = node as? NinePDirectory { directories.append(directory) }
        }
        for directory in directories { directory.dropUnused() }
    }
}

/// Servers of files, as the platform has them.
public enum FileServers {
    /// What the platform calls those that are folders to mount, before their number.
    private static var prefix: StaticString { "volume" }

    static func connect(volume: Int) throws(Errno) -> Client {
        var wanted = TextBuffer()
        wanted.append(prefix)
        wanted.append(volume)
        var server: UInt32 = 0
        while true {
            let description = try describe(server)
            if isName(description, wanted.bytes) { return try connect(server, description) }
            server += 1
        }
    }

    private static func isName(_ description: platform_file_server, _ wanted: [UInt8]) -> Bool {
        guard Int(description.name_length) == wanted.count else { return false }
        for index in wanted.indices where description.name[index] != wanted[index] {
            return false
        }
        return true
    }

    /// Throws `noSuchDeviceOrAddress` when there is no server of that number.
    private static func describe(_ server: UInt32) throws(Errno) -> platform_file_server {
        var description = platform_file_server(
            name: UnsafePointer(bitPattern: 1)!,
            name_length: 0,
            request: UnsafeMutableRawPointer(bitPattern: 1)!,
            message_limit: 0
        )
        guard machine.pointee.files_describe(server, &description) >= 0 else {
            throw .noSuchDeviceOrAddress
        }
        return description
    }

    /// Bytes of the first server's messages, and its number of its folder.
    public static func describeFirst() throws(Errno) -> (messageLimit: UInt64, root: UInt64) {
        let client = try connect(0)
        let root = try client.attach(user: 0)
        client.forget(root.file)
        return (UInt64(client.messageLimit), root.identity.path)
    }

    /// Begins to talk to a server.
    static func connect(_ server: UInt32) throws(Errno) -> Client {
        try connect(server, try describe(server))
    }

    private static func connect(_ server: UInt32, _ description: platform_file_server)
        throws(Errno) -> Client
    {
        try Client.connect(
            server,
            request: description.request,
            limit: Int(description.message_limit)
        ) { machine.pointee.files_ask($0, $1) }
    }
}
