import LinuxABI

/// What the file systems are made of at the start.
public struct RootSettings {
    /// Absolute path at which the program's file appears.
    public var programPath: [UInt8] = []
    /// Bytes of the program's file.
    public var programSize = 0
    /// Bytes of the root image; nil without one.
    public var rootImageSize: Int?
    public var isReadOnly = false
    public var hostname: [UInt8] = []
    /// Paths of tmpfs to mount.
    public var temporaryDirectories: [[UInt8]] = []
    /// Folders of the host to mount, in the order of their numbers.
    public var volumes: [VolumeMount] = []
    public var workingDirectory: [UInt8] = [0x2f]
    /// Three records of `HostStream`.
    public var standardStreams = UnsafeRawBufferPointer(start: nil, count: 0)

    public init() {}
}

/// Where a folder of the host appears.
public struct VolumeMount {
    public var path: [UInt8]
    public var isReadOnly: Bool

    public init(path: [UInt8], isReadOnly: Bool) {
        self.path = path
        self.isReadOnly = isReadOnly
    }
}

extension VFS {
    /// What fails now is a folder's fault.
    nonisolated(unsafe) private(set) static var isMountingVolumes = false

    /// The file system at `/`.
    nonisolated(unsafe) static var rootFilesystem: MemoryFilesystem! = nil
    /// The folder of devices, whatever a program mounts over it.
    nonisolated(unsafe) private(set) static var devices: Dentry?

    /// Mounts everything and gives the first process its root, working directory and standard
    /// streams.
    public static func start(_ settings: RootSettings, _ process: Process) throws(Errno) {
        Filesystem.reset()
        forgetMemoryFiles()
        FileWatches.reset()
        Pipe.largestCapacity = 1 << 20
        SystemV.reset()
        NamedQueues.reset()
        PathBuffers.start()
        Random.start()
        if !settings.hostname.isEmpty {
            settings.hostname.withUnsafeBytes { SystemName.setNode($0) }
        }
        let root = try makeRoot(settings)
        rootFilesystem = root
        Filesystem.mounts.append(root)
        process.paths = PathContext()
        process.paths.root = root.root
        process.paths.workingDirectory = root.root
        process.descriptors = DescriptorTable()
        try addSkeleton(root, hasImage: settings.rootImageSize != nil, settings)
        try mountTemporary(settings, inVolumes: false, root)
        try mountVolumes(settings.volumes, root)
        try mountTemporary(settings, inVolumes: true, root)
        // After the mounts, which would hide it.
        try addProgram(settings, root)
        let start = try directory(settings.workingDirectory, mode: 0o755, root)
        root.isReadOnly = settings.isReadOnly
        process.paths.workingDirectory = start
        try StandardStreams.open(settings.standardStreams, in: process)
    }

    /// Unmounts everything; nothing may be open any more.
    static func stop() {
        rootFilesystem = nil
        devices = nil
        forgetMemoryFiles()
        Pseudoterminals.stop()
        Filesystem.unmountAll()
        StandardStreams.close()
        Disks.stop()
    }

    /// Mounts those that are in folders of the host, or the others, which such folders may be in.
    private static func mountTemporary(
        _ settings: RootSettings,
        inVolumes: Bool,
        _ root: MemoryFilesystem
    ) throws(Errno) {
        for path in settings.temporaryDirectories {
            var isInVolume = false
            for volume in settings.volumes where isPath(path, in: volume.path) { isInVolume = true }
            guard isInVolume == inVolumes else { continue }
            try MemoryFilesystem().mount(on: try directory(path, mode: 0o755, root))
        }
    }

    private static func isPath(_ path: [UInt8], in folder: [UInt8]) -> Bool {
        guard path.count > folder.count, path[folder.count] == 0x2f else { return false }
        for index in folder.indices where path[index] != folder[index] { return false }
        return true
    }

    /// Makes the places where they are missing, in a folder that was mounted before as well.
    private static func mountVolumes(_ volumes: [VolumeMount], _ root: MemoryFilesystem)
        throws(Errno)
    {
        isMountingVolumes = true
        for (number, volume) in volumes.enumerated() {
            let place = try directory(volume.path, mode: 0o755, root)
            let filesystem = try NinePFilesystem.make(number)
            filesystem.isReadOnly = volume.isReadOnly
            filesystem.mount(on: place)
        }
        isMountingVolumes = false
    }

    private static func makeRoot(_ settings: RootSettings) throws(Errno) -> MemoryFilesystem {
        guard let size = settings.rootImageSize else {
            return try MemoryFilesystem("tmpfs", mode: 0o755)
        }
        return try ErofsImage.mountRoot(size: size)
    }

    /// What a program may expect of any root, as containers give it: mount points, and /tmp.
    private static func addSkeleton(
        _ root: MemoryFilesystem,
        hasImage: Bool,
        _ settings: RootSettings
    ) throws(Errno) {
        try mountDevices(on: try directory("/dev", mode: 0o755, root))
        try ProcFilesystem.make().mount(on: try directory("/proc", mode: 0o555, root))
        try SysFilesystem.make().mount(on: try directory("/sys", mode: 0o555, root))
        _ = try directory("/tmp", mode: 0o1777, root)
        guard !settings.hostname.isEmpty else { return }
        let etc = try directory("/etc", mode: 0o755, root)
        try addFile(settings.hostname + [0x0a], Name("hostname"), in: etc)
    }

    private static func mountDevices(on place: Dentry) throws(Errno) {
        Disks.start()
        let devices = try MemoryFilesystem("devtmpfs", mode: 0o755, over: DeviceNodes())
        devices.mount(on: place)
        let directory = devices.root!
        self.devices = directory
        let node = NewNode(mode: FileMode(.directory, permissions: 0o755), user: 0, group: 0)
        let shared = try directory.inode!.create(Name("shm"), in: directory, node)
        try MemoryFilesystem().mount(on: shared)
        let terminals = try directory.inode!.create(Name("pts"), in: directory, node)
        try PseudoterminalFilesystem.make().mount(on: terminals)
    }

    /// Adds a small file, in place of one that is there.
    private static func addFile(_ bytes: [UInt8], _ name: Name, in directory: Dentry)
        throws(Errno)
    {
        guard let parent = directory.inode as? MemoryDirectory else { return }
        let node = NewNode(mode: FileMode(.regular, permissions: 0o644), user: 0, group: 0)
        try parent.addFixed(
            MemoryFile(parent.memory, node, over: TextFile(bytes)),
            name,
            in: directory
        )
    }

    /// Puts the program's file at its path, whatever the root holds there. A program of the root's
    /// own is there already.
    private static func addProgram(_ settings: RootSettings, _ root: MemoryFilesystem)
        throws(Errno)
    {
        guard settings.programSize > 0 else { return }
        var end = settings.programPath.count
        while end > 0, settings.programPath[end - 1] != 0x2f { end -= 1 }
        guard end > 0, end < settings.programPath.count else { return }
        let parent = try directory(Array(settings.programPath[..<end]), mode: 0o755, root)
        // In a folder of the host it is already.
        if parent.inode is NinePDirectory { return }
        guard let inode = parent.inode as? MemoryDirectory else { throw .notDirectory }
        let node = NewNode(mode: FileMode(.regular, permissions: 0o555), user: 0, group: 0)
        let file = MemoryFile(inode.memory, node, over: ImageFile(.program, settings.programSize))
        var failure: Errno? = nil
        settings.programPath.withUnsafeBytes { bytes in
            do throws(Errno) {
                let name = Name(UnsafeRawBufferPointer(rebasing: bytes[end...]))
                guard name.count <= Name.longest else { throw .nameTooLong }
                try inode.addFixed(file, name, in: parent)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func directory(_ path: StaticString, mode: UInt32, _ root: MemoryFilesystem)
        throws(Errno) -> Dentry
    {
        try directory(
            UnsafeRawBufferPointer(start: path.utf8Start, count: path.utf8CodeUnitCount),
            mode,
            root
        )
    }

    private static func directory(_ path: [UInt8], mode: UInt32, _ root: MemoryFilesystem)
        throws(Errno) -> Dentry
    {
        var result: Dentry? = nil
        var failure: Errno? = nil
        path.withUnsafeBytes { bytes in
            do throws(Errno) { result = try directory(bytes, mode, root) } catch { failure = error }
        }
        if let failure { throw failure }
        return result!
    }

    /// The directory at an absolute path, made with its parents where they are missing.
    private static func directory(
        _ path: UnsafeRawBufferPointer,
        _ mode: UInt32,
        _ root: MemoryFilesystem
    ) throws(Errno) -> Dentry {
        let context = PathContext()
        context.root = root.root
        context.workingDirectory = root.root
        let actor = Actor.kernel
        var end = 0
        var current: Dentry = root.root
        while end < path.count {
            while end < path.count, path[end] == 0x2f { end += 1 }
            while end < path.count, path[end] != 0x2f { end += 1 }
            let prefix = UnsafeRawBufferPointer(rebasing: path[..<end])
            let start = Unmanaged.passUnretained(root.root!)
            let walk = try Walk(prefix, from: start, context, actor, .follow)
            if let target = walk.target {
                current = target.takeUnretainedValue()
            } else {
                let isLast = end == path.count
                let node = NewNode(
                    mode: FileMode(.directory, permissions: isLast ? mode : 0o755),
                    user: 0,
                    group: 0
                )
                let parent = walk.parent.takeUnretainedValue()
                current = try parent.inode!.create(walk.lastName!, in: parent, node)
            }
            guard current.inode!.mode.isDirectory else { throw .notDirectory }
        }
        return current
    }
}
