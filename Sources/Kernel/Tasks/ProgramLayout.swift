import LinuxABI
import LoaderCore
import Platform

/// Where a planned program and its stack go in a new address space.
final class ProgramLayout {
    let space: AddressSpace
    private let program: ExecutableProgram
    private let environment: StringList
    private let vdsoStart: UInt64
    private let stack: InitialStack
    private let stackBytes: KernelBuffer

    /// AT_SECURE: the program gained privileges.
    let isSecure: Bool
    let name: ThreadName

    /// Lays everything out without mapping anything.
    init(
        _ program: ExecutableProgram,
        _ environment: StringList,
        _ credentials: Credentials,
        _ process: Process
    ) throws(Errno) {
        self.program = program
        self.environment = environment
        space = AddressSpace(seed: Entropy.next() | 1)
        isSecure =
            credentials.effectiveUser != credentials.realUser
            || credentials.effectiveGroup != credentials.realGroup
        vdsoStart = VDSO.size == 0 ? 0 : try space.findRoom(0, UInt64(VDSO.size))
        var values = AuxiliaryValues(
            program: program.plan,
            interpreter: program.interpreter?.plan,
            random: (Entropy.next(), Entropy.next())
        )
        values.vdsoHeader = vdsoStart
        values.minimumSignalStack = Signals.minimumStack
        values.hardwareCapabilities = boot.pointee.hwcap
        values.hardwareCapabilities2 = boot.pointee.hwcap2
        values.userID = credentials.realUser
        values.effectiveUserID = credentials.effectiveUser
        values.groupID = credentials.realGroup
        values.effectiveGroupID = credentials.effectiveGroup
        values.isSecure = isSecure

        let limit = Int(clamping: process.limits[.stack].current / 4)
        // The stack's bytes are copied now: the path is borrowed only meanwhile.
        let top = space.stackRoom.upperBound
        let path = try KernelBuffer(program.path.count)
        program.path.withUnsafeBytes { path.bytes.copyMemory(from: $0) }
        let stack = try InitialStack(
            arguments: program.arguments.table,
            environment: environment.table,
            executablePath: UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(path.bytes)[..<program.path.count]
            ),
            values: values,
            top: top,
            limit: limit
        )
        let stackBytes = try KernelBuffer(stack.size)
        stack.write(
            into: UnsafeMutableRawBufferPointer(
                rebasing: stackBytes.bytes[..<stack.size]
            )
        )
        self.stack = stack
        self.stackBytes = stackBytes
        name = ProgramLayout.name(program.path)
    }

    /// The last component of the path, as the thread's name.
    private static func name(_ path: [UInt8]) -> ThreadName {
        var start = path.count
        while start > 0, path[start - 1] != UInt8(ascii: "/") { start -= 1 }
        return path.withUnsafeBytes { bytes in
            ThreadName(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
    }

    /// Maps the program, its interpreter, the stack and the vDSO.
    func map() throws(Errno) {
        // In an empty space, where the auxiliary vector says that it is.
        guard try space.mapVDSO() == vdsoStart else { throw .noMemory }
        try map(program.plan, of: program.file)
        if let interpreter = program.interpreter {
            try map(interpreter.plan, of: interpreter.file)
        }
        space.setHeapStart(program.plan.breakStart)
        _ = try space.mapStack(isExecutable: program.plan.hasExecutableStack)
        try UserMemory.write(
            UnsafeRawBufferPointer(rebasing: stackBytes.bytes[..<stack.size]),
            at: UInt(stack.stackPointer)
        )
    }

    private func map(_ plan: LoadPlan, of file: LoadableFile) throws(Errno) {
        let source = try file.file.mappingSource()
        for mapping in plan.mappings {
            let length = mapping.addresses.upperBound - mapping.addresses.lowerBound
            var origin = MappingSource.anonymous
            var offset: UInt64 = 0
            if case .file(let position) = mapping.source {
                origin = source
                offset = position
            }
            _ = try space.map(
                at: mapping.addresses.lowerBound,
                length: length,
                protection: mapping.protection,
                flags: [.private, .fixed],
                source: origin,
                offset: offset
            )
            let zeroes = mapping.zeroFill
            try UserMemory.zero(
                at: UInt(zeroes.lowerBound),
                count: Int(zeroes.upperBound - zeroes.lowerBound)
            )
        }
    }

    /// The registers with which the program starts: System V ABI, all others zero.
    func setRegisters(_ frame: inout trap_frame) {
        frame = trap_frame()
        frame.rip = program.interpreter?.plan.entry ?? program.plan.entry
        frame.rsp = stack.stackPointer
        frame.rflags = ProcessorFlags.initial
        frame.cs = cpu_current().pointee.code_selector
        frame.ss = cpu_current().pointee.stack_selector
        frame.original_rax = noSystemCall
    }

    /// What /proc tells of the program.
    var image: ExecutableImage {
        var image = ExecutableImage()
        var path = TextBuffer()
        program.file.file.appendPath(to: &path)
        image.path = path.bytes
        image.hold = program.file.hold
        image.arguments = addresses(stack.argumentStrings)
        image.environment = addresses(stack.environmentStrings)
        let argumentStart = Int(image.arguments.lowerBound) - Int(stack.stackPointer)
        image.keptArguments = Array(
            UnsafeRawBufferPointer(stackBytes.bytes)[argumentStart...]
                .prefix(min(image.arguments.count, pageSize))
        )
        image.loadBias = program.plan.bias
        image.stackStart = UInt(stack.stackPointer)
        let vector = addresses(stack.auxiliaryVector)
        let start = Int(vector.lowerBound) - Int(stack.stackPointer)
        for word in stride(from: start, to: start + vector.count, by: 8) {
            image.auxiliaryVector.append(
                stackBytes.bytes.loadUnaligned(fromByteOffset: word, as: UInt64.self)
            )
        }
        for mapping in program.plan.mappings {
            let range = addresses(mapping.addresses)
            if mapping.protection.contains(.execute) {
                image.codeRange = joined(image.codeRange, range)
            } else if mapping.protection.contains(.write) {
                image.dataRange = joined(image.dataRange, range)
            }
        }
        return image
    }

    private func addresses(_ range: Range<UInt64>) -> Range<UInt> {
        UInt(range.lowerBound)..<UInt(range.upperBound)
    }

    private func joined(_ first: Range<UInt>, _ second: Range<UInt>) -> Range<UInt> {
        guard !first.isEmpty else { return second }
        return min(first.lowerBound, second.lowerBound)..<max(first.upperBound, second.upperBound)
    }
}
