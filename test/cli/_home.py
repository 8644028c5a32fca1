#!/usr/bin/env python3
"""What lies in developers' homes and projects, and what of it is the secret.

  python3 test/cli/_home.py IMGBUILD FOLDER

Writes each file as its program does, with values made anew, audits FOLDER and holds what was found against the rules
named here. A file that is safe holds the same with the secret elsewhere: nothing may be found in it.
"""

import base64, json, os, random, subprocess, sys

imgbuild, root = sys.argv[1:3]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
WORDS = ["Winter", "falcon", "Berlin", "tiger", "Mango", "rocket", "Coffee", "banana"]
files = {}


def leak(path, text, *rules):
    files[path] = (text, rules)


def safe(path, text):
    files[path] = (text, ())


def some(count, letters=LETTERS):
    # A digit among them, as in nearly all of that length.
    return "".join(random.choice(letters) for _ in range(count - 1)) + random.choice("123456789")


def password():
    return random.choice(WORDS) + random.choice("!-_") + some(4) + str(random.randrange(100, 999))


def hexes(count):
    return some(count, "0123456789abcdef")


def digits(*counts):
    return "-".join(hexes(count) for count in counts)


def uuid():
    return digits(8, 4, 4, 4, 12)


def aws_id():
    return "AKIA" + random.choice("QRST") + some(15, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")[:-1] + "7"


def b64(text):
    return base64.b64encode(text.encode()).decode()


leak(".netrc", f"machine api.heroku.com\n  login a@b.io\n  password {password()}\n", "netrc.password")
leak("_netrc", f"machine h login u password {password()}\n", "netrc.password")
leak(".npmrc", f"//registry.npmjs.org/:_authToken={some(36)}\n", "npm.config-credential")
leak("a/.npmrc", f'_auth={b64("ci:"+password())}\nemail=a@b.io\n', "npm.config-credential")
safe("b/.npmrc", "//r/:_authToken=${NPM_TOKEN}\nregistry=https://r/\n")
leak(".pypirc", f"[pypi]\nusername = bob\npassword = {password()}\n", "pypi.config-password")
leak(".docker/config.json", json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": b64("bob:" + password())}}}), "docker.config-auth")
leak(".dockercfg", json.dumps({"https://index.docker.io/v1/": {"auth": b64("bob:" + password()), "email": "a@b.io"}}), "docker.config-auth")
safe("c/.docker/config.json", json.dumps({"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "desktop"}))
leak(".kube/config", f"apiVersion: v1\nusers:\n- name: a\n  user:\n    token: {some(40)}\n", "kubernetes.config-token")
leak("k2/kubeconfig", f"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    username: admin\n    password: {password()}\n", "kubernetes.config-token")
safe("k3/.kube/config", "apiVersion: v1\nusers:\n- name: a\n  user:\n    exec:\n      command: aws\n      args: [eks, get-token]\n")
leak(".aws/credentials", f"[default]\naws_access_key_id = {aws_id()}\naws_secret_access_key = {some(40)}\n", "aws.access-key-id", "aws.secret-access-key")
safe(".aws/config", "[default]\nregion = eu-west-1\noutput = json\n")
leak(".config/gcloud/application_default_credentials.json", json.dumps({"refresh_token": "1//0" + some(90), "type": "authorized_user"}), "gcp.refresh-token")
leak(".config/gcloud/legacy_credentials/a@b/adc.json", json.dumps({"refresh_token": "1//0" + some(90), "type": "authorized_user"}), "gcp.refresh-token")
leak(".azure/accessTokens.json", json.dumps([{"accessToken": some(300), "refreshToken": some(300)}]), "clouds.azure-cache")
leak(".terraformrc", f'credentials "app.terraform.io" {{\n  token = "{some(14)}.atlasv1.{some(67)}"\n}}\n', "terraform.cloud-token")
leak(".terraform.d/credentials.tfrc.json", json.dumps({"credentials": {"tf.corp.io": {"token": some(40)}}}), "terraform.cli-token")
leak("terraform.tfstate", json.dumps({"version": 4, "resources": [{"type": "aws_db_instance", "instances": [{"attributes": {"password": password(), "username": "a"}}]}]}, indent=2), "terraform.state-secret")
leak("prod.tfvars", f'db_password = "{password()}"\nregion = "eu"\n', "clouds.terraform-variable")
leak("prod.auto.tfvars.json", json.dumps({"db_password": password()}), "generic.password")
safe("vars.tfvars", 'region = "eu"\ndb_password_length = 32\n')
leak(".vault-token", "hvs." + some(90), "vault.token")
leak("d/.vault-token", "s." + some(24), "clouds.vault-token-file")
safe("group_vars/all/vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n" + "\n".join(hexes(80) for _ in range(5)) + "\n")
leak("group_vars/all.yml", f"db_user: a\ndb_password: {password()}\n", "generic.password")
leak("inventory/hosts", f"[web]\nh1 ansible_host=10.0.0.1 ansible_user=root ansible_ssh_pass={password()}\n", "commands.inventory-password")
leak("inventory/hosts2.ini", f"h1 ansible_password={password()} ansible_become_pass={password()}\n", "commands.inventory-password")
safe("secrets.enc.yaml", f"password: ENC[AES256_GCM,data:{b64(some(12))},iv:{b64(some(32))},tag:{b64(some(16))},type:str]\nsops:\n  version: 3.8.1\n")
leak("config/master.key", hexes(32), "rails.master-key")
leak("config/credentials/production.key", hexes(32), "rails.master-key")
safe("config/credentials.yml.enc", b64(some(300)) + "--" + b64(some(12)) + "--" + b64(some(16)))
leak("config/secrets.yml", f"production:\n  secret_key_base: {hexes(128)}\n", "rails.secret-key-base")
safe("r2/config/secrets.yml", 'production:\n  secret_key_base: <%= ENV["SECRET_KEY_BASE"] %>\n')
leak("config/database.yml", f"production:\n  adapter: postgresql\n  username: app\n  password: {password()}\n", "generic.password")
leak("r3/config/initializers/secret_token.rb", f"App::Application.config.secret_token = '{hexes(128)}'\n", "rails.secret-key-base")
leak("config/mongoid.yml", f"production:\n  clients:\n    default:\n      uri: mongodb://app:{password()}@db.corp.io:27017/app\n", "database.url")
leak("config/mongoid2.yml", f"production:\n  clients:\n    default:\n      options:\n        user: app\n        password: {password()}\n", "generic.password")
leak(
    "wp-config.php",
    "<?php\ndefine('DB_NAME', 'wp');\ndefine('DB_PASSWORD', '"
    + password()
    + "');\n"
    + "".join(f"define('{k}', '{some(64,LETTERS+'!@#%^&*()-_ []{}<>~`+=,.;:/?|')}');\n" for k in ["AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY", "AUTH_SALT"]),
    "generic.password",
    "wordpress.salt",
)
safe("wp-config-sample.php", "<?php\ndefine( 'DB_PASSWORD', 'password_here' );\ndefine( 'AUTH_KEY', 'put your unique phrase here' );\n")
leak("settings.py", f"SECRET_KEY = '{some(50,LETTERS+'!@#$%^&*(-_=+)')}'\nDATABASES = {{'default': {{'USER': 'a', 'PASSWORD': '{password()}'}}}}\n", "generic.api-key", "generic.password")
safe("django2/settings.py", "SECRET_KEY = os.environ['SECRET_KEY']\nDATABASES = {'default': {'USER': 'a', 'PASSWORD': env('DB_PASSWORD')}}\n")
leak("django3/local_settings.py", f"SECRET_KEY = 'django-insecure-{some(50)}'\nEMAIL_HOST_PASSWORD = '{password()}'\n", "generic.api-key", "generic.password")
for i, n in enumerate([".env", ".env.local", ".env.production", "prod.env", ".envrc", "env.sh", ".flaskenv", "app.env", ".env.bak", ".env.example.local", "envfile", "docker.env", ".env-prod", ".env_prod", "secrets.env"]):
    leak(f"env{i}/{n}", f'{"export " if n in (".envrc","env.sh") else ""}DB_PASS={password()}\nAPP_KEY=base64:{b64(some(32))}\nMAIL_PASSWORD={password()}\n', "env.secret", "laravel.app-key")
safe("enve/.env.example", "DB_PASSWORD=\nDB_PASS=secret\nAPP_KEY=\nMAIL_PASSWORD=null\nTOKEN=your-token\n")
leak(
    "dump.sql",
    f"CREATE USER 'app'@'%' IDENTIFIED BY '{password()}';\nINSERT INTO `users` VALUES (1,'bob','$2y$10${some(53)}');\nINSERT INTO users (login,password) VALUES ('a','{hexes(32)}');\n",
    "generic.command-password",
    "stores.dump-hash",
    "stores.dump-password",
)
leak("pg.sql", f"CREATE ROLE app;\nALTER ROLE app WITH LOGIN PASSWORD 'md5{hexes(32)}';\n", "servers.pgpool-hash")
leak("pg2.sql", f"ALTER ROLE app WITH PASSWORD '{password()}';\n", "generic.password")
leak("mssql.sql", f"CREATE LOGIN app WITH PASSWORD = N'{password()}';\n", "generic.password")
leak(".htpasswd", f"bob:$apr1${some(8)}${some(22)}\n", "accounts.password-file")
leak("etc/shadow", f"root:$6${some(16)}${some(86)}:19000:0:99999:7:::\nbin:*:19000:0:99999:7:::\n", "accounts.shadow-hash")
safe("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
leak("etc/master.passwd", f"root:$2b$12${some(53)}:0:0::0:0:Charlie:/root:/bin/sh\n", "accounts.shadow-hash")
leak("etc/proftpd/ftpd.passwd", f"bob:$1${some(8)}${some(22)}:1001:1001::/srv:/bin/false\n", "accounts.password-file")
leak("proftpdpasswd", f"bob:$1${some(8)}${some(22)}:1001:1001::/srv:/bin/false\n", "accounts.password-file")
leak("etc/pure-ftpd/pureftpd.passwd", f"bob:$6${some(16)}${some(86)}:1000:1000::/srv/./::::::::::::\n", "accounts.password-file")
leak("etc/wpa_supplicant/wpa_supplicant.conf", f'network={{\n ssid="home"\n psk="{password()}"\n}}\n', "network.wifi-password")
leak("etc/NetworkManager/system-connections/home.nmconnection", f"[wifi-security]\nkey-mgmt=wpa-psk\npsk={password()}\n", "network.wifi-password")
leak(".my.cnf", f"[client]\nuser=root\npassword={password()}\n", "database.client-password")
leak("m2/.my.cnf", f'[client]\nuser=root\npassword="{password()}"\n', "database.client-password")
safe("m3/my.cnf", "[client]\nport=3306\nsocket=/run/mysqld.sock\n")
leak(".pgpass", f"db.corp.io:5432:app:app:{password()}\n", "stores.pgpass-entry")
leak("pg_service.conf", f"[prod]\nhost=db\nuser=app\npassword={password()}\n", "generic.password")
leak(".s3cfg", f"[default]\naccess_key = {aws_id()}\nsecret_key = {some(40)}\n", "aws.access-key-id", "aws.secret-access-key")
leak(".config/rclone/rclone.conf", f"[b2]\ntype = b2\naccount = 00{hexes(20)}\nkey = K002{some(27)}\n", "clouds.rclone-secret")
leak(".config/gh/hosts.yml", f"github.com:\n    user: bob\n    oauth_token: gho_{some(36)}\n", "github.cli-hosts")
leak(".config/glab-cli/config.yml", f"hosts:\n    gitlab.com:\n        token: {some(20)}\n        api_host: gitlab.com\n", "desktop.command-line-token")
leak(".config/hub", f"github.com:\n- user: bob\n  oauth_token: {hexes(40)}\n  protocol: https\n", "desktop.command-line-token")
leak(".git-credentials", f"https://bob:{some(20)}@github.com\n", "generic.url-password")
safe(".gitconfig", "[user]\n name = Bob\n[credential]\n helper = store\n")
leak("g2/.git/config", f'[remote "origin"]\n url = https://bob:{some(16)}@git.corp.io/a.git\n', "git.config-password")
leak(".subversion/auth/svn.simple/1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f", f"K 8\npassword\nV 10\n{some(10)}\nK 8\nusername\nV 3\nbob\nEND\n", "projects.subversion-password")
leak(".hgrc", f"[auth]\nx.prefix = hg.corp.io\nx.username = bob\nx.password = {password()}\n", "projects.mercurial-password")
leak(".m2/settings.xml", f"<settings><servers><server><id>a</id><username>b</username><password>{password()}</password></server></servers></settings>", "maven.settings-password")
leak(".m2/settings-security.xml", f"<settingsSecurity>\n<master>{{{b64(some(40))}}}</master>\n</settingsSecurity>", "maven.master-password")
leak(".gradle/gradle.properties", f"nexusUser=bob\nnexusPassword={password()}\n", "gradle.property-password")
leak(".sbt/.credentials", f"realm=N\nhost=h\nuser=b\npassword={password()}\n", "projects.sbt-password")
leak(".ivy2/.credentials", f"realm=N\nhost=h\nuser=b\npassword={password()}\n", "projects.sbt-password")
leak("NuGet.Config", f'<configuration><packageSourceCredentials><corp><add key="Username" value="b" /><add key="ClearTextPassword" value="{password()}" /></corp></packageSourceCredentials></configuration>', "nuget.config-password")
leak("auth.json", json.dumps({"http-basic": {"repo.corp.io": {"username": "bob", "password": password()}}, "github-oauth": {"github.com": hexes(40)}}, indent=2), "composer.auth")
leak(".bundle/config", f'---\nBUNDLE_GEMS__CONTRIBSYS__COM: "{hexes(8)}:{hexes(8)}"\n', "rubygems.bundle-credential")
leak(".gem/credentials", f"---\n:rubygems_api_key: rubygems_{hexes(48)}\n", "rubygems.api-key")
leak("g3/.gem/credentials", f"---\n:rubygems_api_key: {hexes(32)}\n", "rubygems.credentials")
leak(".cargo/credentials.toml", f'[registry]\ntoken = "cio{some(32)}"\n', "cargo.crates-io-token")
leak(".cargo/credentials", f'[registries.corp]\ntoken = "{some(32)}"\n', "cargo.registry-token")
leak(".hex/hex.config", f'{{username,<<"bob">>}}.\n{{\'$write_key\',<<"{hexes(32)}">>}}.\n', "projects.hex-key")
leak(".config/dart/pub-credentials.json", json.dumps({"accessToken": "ya29." + some(100), "refreshToken": "1//0" + some(60)}), "gcp.refresh-token", "projects.pub-token")
leak(".condarc", f"channels:\n  - https://conda.corp.io/t/{some(30)}/corp\n", "projects.conda-token")
leak(".circleci/config.yml", f"jobs:\n  build:\n    environment:\n      NPM_PASSWORD: {password()}\n", "generic.password")
safe(".travis.yml", f'env:\n  global:\n    - secure: "{b64(some(200))}"\n')
leak("t2/.travis.yml", f"env:\n  global:\n    - API_KEY={some(32)}\n", "generic.api-key")
leak(".drone.yml", f"steps:\n- name: x\n  settings:\n    password: {password()}\n", "generic.password")
safe("d2/.drone.yml", "steps:\n- name: x\n  settings:\n    password:\n      from_secret: docker_password\n")
leak(".config/filezilla/recentservers.xml", f'<FileZilla3><RecentServers><Server><Host>h</Host><User>b</User><Pass encoding="base64">{b64(password())}</Pass></Server></RecentServers></FileZilla3>', "ftp.filezilla-password")
leak("filezilla/sitemanager.xml", f'<FileZilla3><Servers><Server><Host>h</Host><User>b</User><Pass encoding="base64">{b64(password())}</Pass></Server></Servers></FileZilla3>', "ftp.filezilla-password")
leak("fz2/FileZilla.xml", f"<FileZilla3><Settings/><Server><Host>h</Host><Pass>{password()}</Pass></Server></FileZilla3>", "ftp.filezilla-plain-password")
leak("fz3/FileZilla Server.xml", f'<FileZillaServer><Users><User Name="b"><Option Name="Pass">{hexes(128).upper()}</Option><Option Name="Salt">x</Option></User></Users></FileZillaServer>', "generic.password")
leak("WinSCP.ini", f"[Sessions\\a]\nHostName=h\nUserName=b\nPassword={hexes(60).upper()}\n", "ftp.winscp-password")
leak("sftp-config.json", f'{{\n  // x\n  "type": "sftp",\n  "host": "h",\n  "user": "b",\n  "password": "{password()}",\n}}', "ftp.client-password")
leak(".vscode/sftp.json", json.dumps({"host": "h", "username": "b", "password": password()}), "ftp.client-password")
leak(".remote-sync.json", json.dumps({"hostname": "h", "username": "b", "password": password()}), "ftp.client-password")
leak(".ftpconfig", json.dumps({"protocol": "ftp", "host": "h", "user": "b", "pass": password()}), "generic.password")
leak("deployment-config.json", json.dumps({"type": "SFTP", "host": "h", "user": "b", "password": password()}), "ftp.client-password")
leak("ventrilo_srv.ini", f"[Server]\nName=x\nAdminPassword={password()}\nPassword={password()}\n", "ftp.ventrilo-password", "generic.password")
leak(".esmtprc", f'hostname=smtp.corp.io:587\nusername="b"\npassword="{password()}"\n', "mail.esmtp-password")
leak(".mutt/muttrc", f'set imap_user="a@b.io"\nset imap_pass="{password()}"\n', "mail.mutt-password")
leak(".muttrc", f'set smtp_url="smtp://a:{password()}@smtp.corp.io:587/"\n', "database.url")
leak(".msmtprc", f"account a\nhost h\nuser b\npassword {password()}\n", "mail.msmtp-password")
leak(".fetchmailrc", f'poll mail.corp.io proto imap user "b" password "{password()}"\n', "mail.fetchmail-password")
leak(".offlineimaprc", f"[Repository r]\nremotehost=h\nremoteuser=b\nremotepass={password()}\n", "mail.sync-password")
leak(".mbsyncrc", f"IMAPAccount a\nHost h\nUser b\nPass {password()}\n", "mail.sync-password")
leak(".getmail/getmailrc", f"[retriever]\ntype = SimpleIMAPSSLRetriever\nusername = b\npassword = {password()}\n", "mail.sync-password")
leak("etc/postfix/sasl_passwd", f"[smtp.corp.io]:587 bob:{password()}\n", "mail.postfix-password")
leak("conn.rdp", f"full address:s:h\nusername:s:b\npassword 51:b:{hexes(400).upper()}\n", "desktop.rdp-password")
leak("x.rdg", f"<RDCMan><logonCredentials><userName>b</userName><password>{b64(some(150))}</password></logonCredentials></RDCMan>", "programs.rdcman-password")
leak(".vnc/passwd", bytes(random.randrange(128, 256) for _ in range(8)), "desktop.vnc-password-file")
leak("tight.vnc", f"[Connection]\nHost=h\nPassword={hexes(16)}\n", "desktop.vnc-password")
leak(".local/share/remmina/a.remmina", f"[remmina]\nserver=h\nusername=b\npassword={b64(some(18))}\n", "desktop.remmina-password")
leak("mRemoteNG/confCons.xml", f'<Connections><Node Name="a" Username="b" Password="{b64(some(48))}" Hostname="h"/></Connections>', "generic.password")
leak(".mozilla/firefox/x.default/logins.json", json.dumps({"logins": [{"hostname": "https://a", "encryptedUsername": "MDI" + some(60), "encryptedPassword": "MDo" + some(60)}]}), "stores.browser-password")
leak(".mozilla/firefox/x.default/key4.db", b"SQLite format 3\0" + bytes(200), "generic.password-store-file")
leak(".mozilla/firefox/x.default/key3.db", b"\x00\x06\x15\x61" + bytes(200), "stores.browser-file")
leak(".mozilla/firefox/x.default/signons.sqlite", b"SQLite format 3\0" + bytes(200), "stores.browser-file")
leak(".config/google-chrome/Default/Login Data", b"SQLite format 3\0" + bytes(200), "stores.browser-file")
leak("AppData/Local/Google/Chrome/User Data/Default/Cookies", b"SQLite format 3\0" + bytes(200), "stores.browser-file")
leak("passwords.kdbx", bytes.fromhex("03d9a29a67fb4bb5") + bytes(100), "generic.password-store-file")
leak("Documents/passwords.psafe3", b"PWS3" + bytes(100), "generic.password-store-file")
leak(".password-store/web/a.gpg", bytes(50), "generic.password-store-file")
leak("Library/Keychains/login.keychain-db", b"kych" + bytes(100), "generic.password-store-file")
leak(".local/share/keyrings/login.keyring", b"GnomeKeyring\n\r\0\n" + bytes(100), "generic.password-store-file")
leak(".bash_history", f"ls\nmysql -u root -p{some(10)}1 app\nexport AWS_SECRET_ACCESS_KEY={some(40)}\ncurl -u bob:{some(9)}2 https://x\n", "aws.secret-access-key", "generic.command-password")
leak(".zsh_history", f": 1700000000:0;sshpass -p {some(10)}3 ssh a@b\n: 1700000001:0;docker login -u b -p {some(12)}4 r.io\n", "generic.command-password")
leak(".mysql_history", f"SET PASSWORD FOR 'a'@'b' = PASSWORD('{password()}');\nGRANT ALL ON *.* TO 'a'@'%' IDENTIFIED BY '{password()}';\n", "generic.command-password", "wires.client-history")
leak(".psql_history", f"ALTER USER app WITH PASSWORD '{password()}';\n", "generic.password")
leak(".python_history", f"client.login('bob', '{password()}')\n", "generic.login-call")
leak(
    ".idea/WebServers.xml",
    f'<project><component name="WebServers"><option name="servers"><webServer id="a" name="b" url="http://h"><fileTransfer host="h" port="22" rootFolder="/" password="{hexes(32)}" username="b" /></webServer></option></component></project>',
    "ftp.jetbrains-password",
)
safe(".idea/dataSources.local.xml", '<project><component name="dataSourceStorageLocal"><data-source name="a"><secret-storage>master_key</secret-storage></data-source></component></project>')
leak(".idea/workspace.xml", f'<project><env name="DB_PASSWORD" value="{password()}" /></project>', "generic.password")
leak(".vscode/settings.json", json.dumps({"sqltools.connections": [{"name": "a", "server": "h", "username": "b", "password": password()}]}), "generic.password")
leak("robomongo.json", json.dumps({"connections": [{"connectionName": "a", "credentials": [{"databaseName": "admin", "userName": "b", "userPassword": password(), "enabled": True}]}]}), "stores.database-client")
leak(".3T/robo-3t/1.4.4/robo3t.json", json.dumps({"connections": [{"credentials": [{"userName": "b", "userPasswordEncrypted": b64(some(24))}]}]}), "stores.database-client")
leak("salesforce.js", f"var jsforce = require('jsforce');\nvar conn = new jsforce.Connection();\nconn.login('bob@corp.io', '{password()}{some(24)}', function(err) {{}});\n", "generic.login-call")
leak("heroku.json", json.dumps({"name": "x", "env": {"SECRET_TOKEN": some(32)}, "HEROKU_API_KEY": uuid()}), "generic.api-key", "heroku.api-key")
leak(".tugboat", f"---\nauthentication:\n  access_token: {hexes(64)}\nssh:\n  ssh_user: root\n", "desktop.command-line-token")
leak(".config/doctl/config.yaml", f"access-token: dop_v1_{hexes(64)}\n", "digitalocean.token")
leak("do2/config.yaml", f"access-token: {hexes(64)}\n", "generic.api-key")
leak(".config/hcloud/cli.toml", f'active_context = "a"\n[[contexts]]\nname = "a"\ntoken = "{some(64)}"\n', "clouds.sls-secret")
leak(".config/linode-cli", f"[bob]\ntoken = {hexes(64)}\n", "clouds.sls-secret")
leak(".config/scw/config.yaml", f"access_key: SCW{some(17).upper()}\nsecret_key: {uuid()}\n", "clouds.sls-secret", "generic.api-key")
leak(".config/exoscale/exoscale.toml", f'[[accounts]]\nkey = "EXO{hexes(26)}"\nsecret = "{some(43)}"\n', "clouds.sls-secret")
leak(".config/openstack/clouds.yaml", f"clouds:\n  a:\n    auth:\n      username: b\n      password: {password()}\n", "clouds.openstack-password")
leak("openrc.sh", f"export OS_USERNAME=b\nexport OS_PASSWORD={password()}\n", "clouds.openstack-password")
leak(".boto", f"[Credentials]\ngs_access_key_id = GOOG{some(20).upper()}\ngs_secret_access_key = {some(40)}\n", "aws.secret-access-key", "gcp.hmac-key-id")
leak(".passwd-s3fs", f"{aws_id()}:{some(40)}\n", "aws.access-key-id", "aws.secret-access-key")
leak(".mc/config.json", json.dumps({"aliases": {"a": {"url": "https://s3", "accessKey": some(20), "secretKey": some(32)}}}), "clouds.sls-secret")
leak("user-data.yaml", f"#cloud-config\nusers:\n  - name: b\n    passwd: $6${some(16)}${some(86)}\nchpasswd:\n  list: |\n    root:{password()}\n", "accounts.cloud-init-password", "accounts.crypted-in-setup")
leak("ud2/user-data", f"#cloud-config\npassword: {password()}\nchpasswd: {{expire: False}}\n", "accounts.cloud-init-password")
leak(
    "unattend.xml", f"<unattend><settings><component><AutoLogon><Password><Value>{password()}</Value><PlainText>true</PlainText></Password><Username>Administrator</Username></AutoLogon></component></settings></unattend>", "generic.password"
)
leak(
    "un2/Autounattend.xml",
    f'<unattend><UserAccounts><AdministratorPassword><Value>{base64.b64encode((password()+"AdministratorPassword").encode("utf-16-le")).decode()}</Value><PlainText>false</PlainText></AdministratorPassword></UserAccounts></unattend>',
    "servers.encoded-unattend",
)
leak("Groups.xml", f'<Groups><User><Properties action="U" userName="Administrator" cpassword="{b64(some(32))}"/></User></Groups>', "generic.password")
leak("sysprep.inf", f"[GuiUnattended]\nAdminPassword={password()}\n", "generic.password")
leak("jenkins/credentials.xml", f"<java><password>{{{b64(some(48))}}}</password><id>x</id></java>", "stores.jenkins-credential")
leak("jenkins/jobs/a/config.xml", f"<project><apiToken>{hexes(34)}</apiToken></project>", "generic.api-key")
leak("teamcity/buildServer.xml", f'<x><param name="env.DB_PASSWORD" value="{password()}" /></x>', "generic.password")
leak("tc2/database.properties", f"connectionUrl=jdbc:postgresql://h/tc\nconnectionProperties.user=b\nconnectionProperties.password={password()}\n", "generic.password")
leak("pip.conf", f"[global]\nindex-url = https://bob:{some(16)}@pypi.corp.io/simple\n", "pypi.index-password")
safe(".config/pip/pip.conf", "[global]\nindex-url = https://pypi.org/simple\n")
leak("poetry/auth.toml", f'[http-basic.corp]\nusername = "b"\npassword = "{password()}"\n', "generic.password")
leak("docker-compose.yml", f"services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: {password()}\n      MYSQL_ROOT_PASSWORD: {password()}\n", "generic.password")
safe("dc2/docker-compose.yml", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n")
leak("Vagrantfile", f'config.ssh.password = "{password()}"\n', "generic.password")
leak("tomcat-users.xml", f'<tomcat-users><user username="admin" password="{password()}" roles="manager-gui"/></tomcat-users>', "servers.named-setting")
leak("standalone.xml", f"<datasource><security><user-name>sa</user-name><password>{password()}</password></security></datasource>", "generic.password")
leak("server.xml", f'<Connector port="8443" keystoreFile="k" keystorePass="{password()}"/>', "generic.password")
leak("context.xml", f'<Context><Resource name="jdbc/a" username="b" password="{password()}" url="jdbc:mysql://h/a"/></Context>', "generic.password")
leak(
    "web.config",
    f'<connectionStrings><add name="d" connectionString="Server=h;Database=a;User Id=sa;Password={password()};" /></connectionStrings><machineKey validationKey="{hexes(128).upper()}" decryptionKey="{hexes(64).upper()}" />',
    "database.connection-string",
    "generic.api-key",
)
leak("appsettings.json", json.dumps({"ConnectionStrings": {"D": f"Server=h;Database=a;User Id=sa;Password={password()}"}, "Jwt": {"Key": some(40)}}), "database.connection-string", "generic.api-key")
leak("hibernate.cfg.xml", f'<property name="hibernate.connection.password">{password()}</property>', "generic.password")
leak("persistence.xml", f'<property name="javax.persistence.jdbc.password" value="{password()}"/>', "generic.password")
leak("application.yml", f"spring:\n  datasource:\n    username: a\n    password: {password()}\njwt:\n  secret: {some(40)}\n", "generic.password", "generic.secret")
leak("redis.conf", f"requirepass {password()}\nmasterauth {password()}\n", "generic.command-password")
safe("r4/redis.conf", "# requirepass foobared\n# masterauth <master-password>\n")
leak("mosquitto/passwd", f"bob:$7$101${b64(some(12))}${b64(some(64))}\n", "accounts.password-file")
leak("ldap.conf", f"binddn cn=admin\nbindpw {password()}\n", "servers.directory-bind")
leak("slapd.conf", f'rootdn "cn=a"\nrootpw {password()}\n', "generic.command-password")
leak("smbcredentials", f"username=b\npassword={password()}\ndomain=D\n", "servers.samba-login")
leak("etc/samba/credentials", f"username=b\npassword={password()}\n", "servers.samba-login")
leak("etc/ppp/chap-secrets", f'"bob" * "{password()}" *\n', "network.ppp-secret")
leak("etc/ipsec.secrets", f'%any %any : PSK "{password()}"\n', "network.ipsec-secret")
leak("etc/exim4/passwd.client", f"*:bob@corp.io:{password()}\n", "mail.exim-password")
leak("etc/raddb/clients.conf", f"client n {{\n ipaddr = 10.0.0.1\n secret = {password()}\n}}\n", "servers.radius-client")
leak("zabbix.conf.php", f"<?php\n$DB['PASSWORD'] = '{password()}';\n", "generic.password")
leak("config.inc.php", f"<?php\n$cfg['blowfish_secret'] = '{some(32)}';\n$cfg['Servers'][$i]['password'] = '{password()}';\n", "generic.password", "generic.secret")
leak("sites/default/settings.php", f"<?php\n$databases['default']['default'] = array('username' => 'a', 'password' => '{password()}');\n$settings['hash_salt'] = '{some(74)}';\n", "generic.password", "generic.secret")
leak("app/etc/env.php", f"<?php\nreturn ['crypt' => ['key' => '{hexes(32)}'], 'db' => ['connection' => ['default' => ['username' => 'a','password' => '{password()}']]]];\n", "generic.api-key", "daemons.magento-login")
leak("parameters.yml", f"parameters:\n    database_password: {password()}\n    secret: {hexes(40)}\n", "generic.password", "generic.secret")
leak(".irssi/config", f'servers = (\n  {{ address = "irc.x"; password = "{password()}"; }}\n);\n', "generic.password")
leak(".weechat/irc.conf", f'[server]\nlibera.sasl_password = "{password()}"\n', "generic.password")
leak(".purple/accounts.xml", f"<account><protocol>prpl-jabber</protocol><name>b</name><password>{password()}</password></account>", "desktop.pidgin-password")
leak(".config/hexchat/servlist.conf", f"N=x\nP={password()}\nS=irc.x\n", "desktop.xchat-password")
leak(".mylogin.cnf", bytes(random.randrange(256) for _ in range(120)), "stores.mysql-login-file")
leak("tnsnames/wallet/cwallet.sso", b"\xa1\xf8\x4e\x36" + bytes(100), "generic.password-store-file")
leak("Robomongo/x.dsn", f"[ODBC]\nDSN=a\nUID=sa\nPWD={password()}\n", "generic.password")
leak("odbc.ini", f"[a]\nDriver=x\nServer=h\nUser=b\nPassword={password()}\n", "generic.password")
leak("jupyter_notebook_config.json", json.dumps({"NotebookApp": {"password": "argon2:$argon2id$v=19$m=10240,t=10,p=8$" + some(22) + "$" + some(43)}}), "stores.jupyter-secret")
leak(".streamlit/secrets.toml", f'[db]\nuser="a"\npassword="{password()}"\n', "generic.password")
leak(".snowsql/config", f'[connections]\naccountname = a\nusername = b\npassword = "{password()}"\n', "generic.password")
leak("profiles.yml", f"a:\n  outputs:\n    dev:\n      type: postgres\n      user: b\n      pass: {password()}\n", "generic.password")
leak(".wgetrc", f"user=b\npassword={password()}\n", "generic.password")
leak(".curlrc", f'user = "bob:{password()}"\n', "ftp.curl-password")
leak(".lftprc", f"open -u bob,{password()} ftp.x\n", "ftp.lftp-bookmark")
leak(".ncftp/bookmarks", f"a,h,bob,*encoded*{b64(some(9))},,/\n", "ftp.ncftp-bookmark")
leak(".smbclient.conf", f"username = b\npassword = {password()}\n", "generic.password")
leak("etc/fstab", f"//h/s /mnt cifs username=b,password={password()},uid=0 0 0\n", "servers.fstab-password")
leak("kickstart.ks", f"rootpw --plaintext {password()}\n", "accounts.plain-in-setup")
leak("preseed.cfg", f"d-i passwd/root-password password {password()}\n", "accounts.plain-in-setup")
leak("Dockerfile", f'FROM x\nRUN echo "root:{password()}" | chpasswd\nENV API_TOKEN={some(32)}\n', "generic.api-key", "generic.command-password")
leak("cisco.cfg", f"enable secret 5 $1${some(4)}${some(22)}\nusername bob password 7 08{hexes(20).upper()}\nsnmp-server community {some(10)} RW\n", "gear.password-7", "gear.snmp-community", "network.router-hash")
leak("junos.conf", f'root-authentication {{ encrypted-password "$6${some(8)}${some(86)}"; }}\n', "network.router-hash")
leak("secret.yaml", f"apiVersion: v1\nkind: Secret\ndata:\n  password: {b64(password())}\nstringData:\n  token: {some(24)}\n", "generic.api-key", "generic.password")
safe("sealed.yaml", f"kind: SealedSecret\nspec:\n  encryptedData:\n    password: AgB{b64(some(300))}\n")
safe("ext.yaml", "kind: ExternalSecret\nspec:\n  data:\n  - secretKey: password\n    remoteRef:\n      key: prod/db\n")

for path, (text, _) in files.items():
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
audit = subprocess.run([imgbuild, "audit", "dir:" + root, "--format", "json"], capture_output=True)
image = json.loads(audit.stdout)["images"][0]
found = {path: set() for path in files}
for finding in image["leaks"] + image["notes"]:
    for location in finding["locations"]:
        if location["path"] in found:  # or a folder, by its name
            found[location["path"]].add(finding["rule"])
wrong = 0
for path, (_, rules) in files.items():
    if found[path] != set(rules):
        wrong += 1
        print(f"{path}: found {', '.join(sorted(found[path])) or 'nothing'}, not {', '.join(rules) or 'nothing'}")
print(f"{len(files) - wrong} of {len(files)} files as they should be")
# Of random values one in a hundred looks like a word, or like another's.
sys.exit(1 if wrong > len(files) // 100 else 0)
