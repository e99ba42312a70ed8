import LinuxABI
import NineP

/// A file of a server's; by itself a symbolic link, or what cannot be read there.
class NinePNode: Inode {
    unowned(unsafe) final let volume: NinePFilesystem
    /// The server's number for the file, which is never opened.
    private(set) final var file: UInt32
    private final var toldBlocks = 0

    init(_ volume: NinePFilesystem, _ file: UInt32, _ told: FileAttributes) {
        self.volume = volume
        self.file = file
        super.init(
            volume,
            number: told.identity.path,
            mode: FileMode(rawValue: told.mode & 0o177777),
            user: told.user,
            group: told.group
        )
        take(told)
    }

    deinit {
        volume.unregister(self)
        volume.client.forget(file)
    }

    final var client: Client { volume.client }

    /// Another number for the same file, by a way that is known to lead there.
    final func adopt(_ newer: UInt32) {
        client.forget(file)
        file = newer
    }

    /// Whether the server means this file, and not a later one of the same number.
    final func isSame(_ identity: FileIdentity) -> Bool {
        number == identity.path && links > 0
            && mode.isDirectory == (identity.type & FileIdentity.directory != 0)
    }

    // MARK: Attributes

    private final func take(_ told: FileAttributes) {
        mode.permissions = told.mode
        user = told.user
        group = told.group
        links = UInt32(clamping: told.links)
        device = told.device
        size = Int(min(told.size, UInt64(Int64.max >> 1)))
        toldBlocks = Int(min(told.blocks, UInt64(Int64.max >> 10)))
        accessTime = told.accessTime
        modificationTime = told.modificationTime
        changeTime = told.changeTime
    }

    /// Asks for the attributes. QEMU's server has no more to say of a file without a name.
    final func refresh() throws(Errno) {
        do throws(Errno) {
            let told = try client.attributes(file)
            guard FileMode(rawValue: told.mode).kind == mode.kind else { throw .staleHandle }
            take(told)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
        }
    }

    override func fill(_ status: inout FileStatus) throws(Errno) {
        try refresh()
        try super.fill(&status)
    }

    override var blocks: Int { toldBlocks }

    override func setAttributes(_ change: AttributeChange) throws(Errno) {
        var request = AttributeRequest()
        request.mode = change.permissions
        request.user = change.user
        request.group = change.group
        request.accessTime = change.accessTime
        request.modificationTime = change.modificationTime
        try client.setAttributes(file, request)
        try refresh()
    }

    /// A name of the file is gone.
    final func nameRemoved() {
        links = mode.isDirectory || links == 0 ? 0 : links - 1
    }

    // MARK: Contents

    override func readLink(into text: inout TextBuffer) throws(Errno) {
        guard mode.isSymbolicLink else { throw .invalidArgument }
        text.append(try client.readLink(file))
    }

    /// FIFOs are the guest's own; devices of the host are none of it.
    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        switch mode.kind {
        case .pipe: return try Pipe.open(self, dentry, flags)
        case .characterDevice, .blockDevice: throw .permissionDenied
        default: throw .noSuchDeviceOrAddress
        }
    }
}
